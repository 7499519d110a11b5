"""What `flask --help` says: what Backfile is and how one begins, in place of Flask's words about itself.

Flask makes its group of commands before it looks for an application, and has written the beginning of its help when it
finds this one: so all of it is written anew.
"""

import click
from flask.cli import FlaskGroup, cli

from archive import VERSION

HELP = f"""
Backfile {VERSION}: a searchable news archive with semantic retrieval.

Articles are taken in, indexed and served. What a command does and how it is used: flask COMMAND --help
"""
EXAMPLES = """
\b
Examples:
  flask ingest seeds                     take in what lies in a folder
  flask search "flood insurance"         search it
  flask follow https://news.example/     follow a site: flask fetch asks it for news
  flask check                            make sure that nothing is damaged
"""


class _Commands(FlaskGroup):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.buffer.clear()
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        self.format_options(ctx, formatter)
        super().format_epilog(ctx, formatter)


def introduce() -> None:
    """Have `flask --help` speak of Backfile."""
    cli.__class__ = _Commands
    cli.help, cli.epilog = HELP, EXAMPLES
