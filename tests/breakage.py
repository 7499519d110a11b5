"""How something may break: errors by name, each of which says what no answer may.

Apart from `breaking_wsgi`, which has a whole process fail so: a test that only needs the names must not.
"""

from collections.abc import Callable

import jinja2

from archive.errors import ArchiveBusy, ArchiveDamaged, ArchiveError
from index.errors import GenerationDamaged, ModelMismatch, ModelUnavailable, SearchError
from web.crew import Overloaded

TELLTALE = "/srv/secret/archive.sqlite3: SELECT body FROM version WHERE secret = 'tango'"
KINDS: dict[str, Callable[[], BaseException]] = {
    "ArchiveDamaged": lambda: ArchiveDamaged(TELLTALE),
    "ArchiveBusy": lambda: ArchiveBusy(TELLTALE),
    "DiskFull": lambda: ArchiveError(f"{TELLTALE}: the disk is full"),
    "GenerationDamaged": lambda: GenerationDamaged(TELLTALE),
    "ModelUnavailable": lambda: ModelUnavailable(TELLTALE),
    "ModelMismatch": lambda: ModelMismatch(TELLTALE),
    "SearchError": lambda: SearchError(TELLTALE),
    "Overloaded": lambda: Overloaded(TELLTALE),
    "ValueError": lambda: ValueError(TELLTALE),
    "KeyError": lambda: KeyError(TELLTALE),
    "OSError": lambda: OSError(28, "No space left on device", "/srv/secret/archive.sqlite3"),
    "BrokenPipeError": lambda: BrokenPipeError(32, TELLTALE),
    "MemoryError": lambda: MemoryError(TELLTALE),
    "RecursionError": lambda: RecursionError(TELLTALE),
    "TimeoutError": lambda: TimeoutError(TELLTALE),
    "UnicodeEncodeError": lambda: UnicodeEncodeError("utf-8", "tango\ud800", 5, 6, TELLTALE),
    "AssertionError": lambda: AssertionError(TELLTALE),
    "TemplateError": lambda: jinja2.TemplateRuntimeError(TELLTALE),
    "SystemExit": lambda: SystemExit(TELLTALE),
}
