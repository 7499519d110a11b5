"""The archive: articles, their versions, and everything an index is built from.

The archive is the truth. This package never imports `index` or `web`.
"""

VERSION = "0.1.0"  # of Backfile: as in pyproject.toml
