"""What lies among articles and is none, as its name says: in folders, and in the files that hold others. Pure.

A file that somebody names himself is read, whatever it is called.
"""

from pathlib import PurePosixPath

_TEXTS = ("", ".txt", ".md", ".rst")
# fmt: off
_ABOUT = ("changelog", "code_of_conduct", "contributing", "copying", "licence", "license", "notice", "readme")  # texts
_FOR_PROGRAMS = ("desktop.ini", "dockerfile", "humans.txt", "makefile", "package.json", "package-lock.json",
                 "requirements.txt", "robots.txt", "thumbs.db")
_ENDINGS = frozenset((
    ".css", ".eot", ".ico", ".js", ".map", ".mjs", ".otf", ".ttf", ".woff", ".woff2",  # what is saved with pages
    ".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff", ".webp",
    ".bat", ".c", ".cfg", ".cpp", ".go", ".h", ".ini", ".java", ".lock", ".py", ".pyc", ".rb", ".rs", ".sh", ".sql",
    ".toml", ".ts", ".yaml", ".yml",  # but not .php and the like: pages are saved under such names
))
# fmt: on


def is_no_article(name: str) -> bool:
    """Tell whether a file of this name belongs to what lies around articles: pictures, styles, code, a licence."""
    path = PurePosixPath(name.lower())
    return path.suffix in _ENDINGS or path.name in _FOR_PROGRAMS or (path.stem in _ABOUT and path.suffix in _TEXTS)


def is_hidden(name: str) -> bool:
    """Tell whether what has this path is what file managers leave behind, as hidden files in folders are."""
    return any((part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in name.split("/"))
