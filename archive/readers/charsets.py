"""The text of a page from its bytes, whatever the page and its server say about their encoding.

What the bytes show goes before what is declared: a byte-order mark, then bytes that are UTF-8 throughout, which other
encodings are by accident only in a few words. Declarations count after that, read as browsers read them
(https://encoding.spec.whatwg.org/#names-and-labels), and the page's language and the bytes' statistics last.
"""

import codecs
import importlib
import re
from collections.abc import Iterator

DECLARATION_BYTES = 8192  # browsers look at 1024; pages that put scripts before their declaration are common enough
SNIFFED_BYTES = 65_536  # enough text to tell encodings apart
STRAY_SHARE = 0.2  # of the bytes beyond ASCII: up to so many that are not UTF-8 are strays in a UTF-8 page

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_XML_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{2,40})""", re.IGNORECASE)
_LANGUAGE = re.compile(rb"""<html[^>]{0,500}?\blang\s*=\s*["']?([a-z]{2,3})""", re.IGNORECASE)

# What browsers read by these names, in Python's codecs: the wider encoding of each family.
_WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs",
}  # fmt: skip
_ESCAPED = {"iso2022_jp": b"\x1b", "hz": b"~{"}  # encodings whose bytes are all ASCII, with what starts a run
_IGNORED = re.compile("utf|ucs|unicode|idna|punycode|base64|hex|rot|quopri|uu|zlib|zip|bz2|oem|mbcs|undefined")
# What browsers assume where nothing is declared, by the language (https://html.spec.whatwg.org/#determining-the-character-encoding).
_USUAL = {
    **dict.fromkeys(("ar", "fa"), "cp1256"), **dict.fromkeys(("bg", "ru", "uk", "sr", "mk", "be"), "cp1251"),
    **dict.fromkeys(("cs", "hu", "pl", "sk", "sl", "hr", "ro"), "cp1250"),
    **dict.fromkeys(("lt", "lv", "et"), "cp1257"),
    **dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "nb", "fi", "ca", "is"), "cp1252"),
    "el": "cp1253", "tr": "cp1254", "he": "cp1255", "vi": "cp1258", "th": "cp874", "ko": "cp949",
}  # fmt: skip
_SNIFFED = ["cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp874", "koi8_r",
            "gb18030", "big5", "cp932", "euc_jp", "cp949"]  # fmt: skip


def decoded(raw: bytes, *, charset: str | None) -> str:
    """Return the text of `raw`; `charset` is what the server said (the parameter of Content-Type). Never fails."""
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            return raw.decode(codec, "replace").removeprefix("\ufeff")
    declared = list(_declared(raw, charset))
    escaped = next((codec for codec in declared if (start := _ESCAPED.get(codec)) and start in raw), None)
    if escaped:
        return raw.decode(escaped, "replace")
    if _is_mostly_utf8(raw):
        return raw.decode("utf-8", _STRAY)
    for codec in declared:
        text = _strict(raw, codec)
        if text is not None:
            return text
    return raw.decode(_guessed(raw), _STRAY)


def _declared(raw: bytes, charset: str | None) -> Iterator[str]:
    """Yield the codecs that are declared, the server's word first."""
    start = raw[:DECLARATION_BYTES]
    names = [charset or "", *(match[1].decode("ascii", "ignore") for match in _DECLARED.finditer(start))]
    if xml := _XML_DECLARED.match(start):
        names.append(xml[1].decode("ascii", "ignore"))
    for name in names:
        try:
            codec = codecs.lookup(name.strip().strip("\"'")).name
        except (LookupError, ValueError):
            continue
        if not _IGNORED.search(codec):  # UTF-8 shows itself, and some of Python's codecs are no encodings of text
            yield _WIDER.get(codec, codec)


def _is_mostly_utf8(raw: bytes) -> bool:
    understood = raw.decode("utf-8", "ignore")
    strays = len(raw) - len(understood.encode())
    beyond_ascii = sum(byte > 0x7F for byte in raw) if strays else 0
    return strays <= STRAY_SHARE * beyond_ascii


def _strict(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec, _STRAY if codec == "cp1252" else "strict")  # browsers let every byte stand in that one
    except UnicodeDecodeError:
        return None


def _guessed(raw: bytes) -> str:
    """Return the codec that the page's language or, where that tells nothing, its bytes suggest."""
    language = _LANGUAGE.search(raw[:DECLARATION_BYTES])
    usual = _USUAL.get(language[1].decode().lower()) if language else None
    if usual and _strict(raw, usual) is not None:
        return usual
    # Imported here: pages that need it are rare. Not the whole page: it tries every encoding on what it is given.
    best = importlib.import_module("charset_normalizer").from_bytes(raw[:SNIFFED_BYTES], cp_isolation=_SNIFFED).best()
    return str(best.encoding) if best else "cp1252"


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that do not belong as Windows-1252: strays in a page are pasted from such."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    strays = error.object[error.start : error.end]
    return "".join(bytes((byte,)).decode("cp1252", "replace") for byte in strays), error.end


_STRAY = "backfile.windows-1252"
codecs.register_error(_STRAY, _as_windows_1252)
