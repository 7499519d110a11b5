"""Bytes into text, whatever a document and its server say about its encoding: pages, feeds, agencies' XML, mail.

What the bytes prove goes before what is declared: a byte-order mark, the NULs of UTF-16 and UTF-32, bytes that are
UTF-8, which other encodings are by accident only in a few words. Then counts what is declared, names read as browsers
read them (https://encoding.spec.whatwg.org/#names-and-labels): the server's word, an XML declaration, a `<meta>`; but
a western set has no faults to find, since nearly every byte means something in it, so any other declaration goes
before it, and a text with hardly an ASCII letter is none. The language and the bytes' statistics come last.

Invariant: something readable always comes out.
"""

import codecs
import re
from collections.abc import Iterator

DECLARATION_BYTES = 8_192  # browsers look at 1,024; pages that put scripts before their declaration are common enough
SNIFFED_BYTES = 1 << 16  # as much as a guess is made from
MOSTLY = 0.8  # of the bytes beyond ASCII: with so many that are UTF-8 the others are strays in a UTF-8 text
PARTLY = 0.2  # with so many, and no declaration that holds, it is a western text with pieces of UTF-8
MAX_DAMAGE = 0.01  # share of bytes that may not fit what is declared
FEW = 5  # characters: as few of an East Asian encoding can be valid UTF-8 by chance (1 in 8 of them each)
WESTERN_SHARE = 0.3  # of letters and signs outside ASCII: above it a text is in no language of Latin letters

_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = {  # where the NULs are among four bytes of ASCII text
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
}
_XML = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([\w.:-]{1,40})", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_LANGUAGE = re.compile(
    rb"<(?:html|rss|feed)\b[^>]{0,500}?\blang\s*=\s*[\"']?([a-z]{2,3})\b|<language>\s*([a-z]{2,3})\b", re.IGNORECASE
)
# To its end or that of the text, so that no place is looked at twice.
_NO_WORDS = re.compile(rb"<(script|style)\b[^<]*(?:<(?!/\1)[^<]*)*+|<[^<>]*>|&#?\w+;", re.IGNORECASE)
# What a name means in practice: the larger set that programs write under it.
_MEANT = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932", "big5": "big5hkscs",
}  # fmt: skip
_TEXT_CODEC = re.compile(r"iso8859|iso2022_|hz|cp\d|koi8|mac|gb|big5|euc|shift|tis|johab|utf-8|ptcp|kz")
_EAST_ASIAN = re.compile("gb|big5|euc|shift|cp9[345]|johab")
_SEVEN_BITS = re.compile("iso2022_|hz")  # sets whose bytes are all ASCII
_RUN = re.compile(rb"\x1b[$(]|~\{")  # what starts a run of other characters in them
# What browsers assume where nothing is declared, by the language
# (https://html.spec.whatwg.org/#determining-the-character-encoding).
_USUAL = {
    **dict.fromkeys(("ar", "fa"), "cp1256"), **dict.fromkeys(("bg", "ru", "uk", "sr", "mk", "be"), "cp1251"),
    **dict.fromkeys(("cs", "hu", "pl", "sk", "sl", "hr", "ro"), "cp1250"),
    **dict.fromkeys(("lt", "lv", "et"), "cp1257"),
    "el": "cp1253", "tr": "cp1254", "he": "cp1255", "vi": "cp1258", "th": "cp874", "ko": "cp949",
}  # fmt: skip
_LATIN = frozenset({"cp1250", "cp1254", "cp1257", "cp1258"})
_GUESSED = (
    *("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_ASCII = bytes(range(0x80))
_NO_LETTERS = bytes(byte for byte in _ASCII if not chr(byte).isalpha())
C1 = {byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in b"\x81\x8d\x8f\x90\x9d"}
"""For `str.translate`: what is meant by the control characters that windows-1252 has letters and quotes in place of."""


def decoded(raw: bytes, *, charset: str | None = None) -> str:
    """Return `raw` as text; `charset` is what the server said of it (the parameter of Content-Type). Never fails."""
    wide, mark = wide_encoding(raw)
    if wide:
        return raw[mark:].decode(wide, "replace")
    codec, errors = encoding_of(raw, charset=charset)
    return raw.decode(codec, errors)


def encoding_of(raw: bytes, *, charset: str | None = None) -> tuple[str, str]:
    """Return the encoding of what has no mark and is not wide, with what is to become of bytes that are not in it."""
    declared = list(_declared(raw, charset))
    if raw.isascii() and _RUN.search(raw):
        return next(filter(_SEVEN_BITS.match, declared), "iso2022_jp" if b"\x1b$B" in raw else "ascii"), "replace"
    share = _share_of_utf8(raw, declared)
    if share >= MOSTLY:
        return "utf-8", _STRAYS
    for codec in declared:
        if codec not in ("utf-8", "cp1252") and _fitting(raw, codec) is not None:
            return codec, "replace"
    words = _NO_WORDS.sub(b" ", raw[:SNIFFED_BYTES])
    is_western = _is_western(words)
    if not (is_western and "cp1252" in declared):
        guess = _usual(raw, is_western=is_western) or (None if is_western else _guessed(words))
        if guess:
            return guess, "replace"
    return ("utf-8", _STRAYS) if share >= PARTLY else ("cp1252", "replace")


def is_mostly_utf8(raw: bytes) -> bool:
    """Tell whether `raw` is UTF-8, but for a few damaged bytes perhaps."""
    return _share_of_utf8(raw, []) >= MOSTLY


def wide_encoding(raw: bytes) -> tuple[str | None, int]:
    """Return the encoding that a byte-order mark, or NULs as of UTF-16 and UTF-32, prove, and the mark's length."""
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            return codec, len(mark)
    nulls = {(not a, not b, not c, not d) for a, b, c, d in zip(*[iter(raw[:16])] * 4, strict=False)}
    return (_WIDE.get(nulls.pop()) if len(nulls) == 1 else None), 0


def repaired(text: str) -> str:
    """Return a text that was decoded as windows-1252 though it was UTF-8 ("CafÃ©") as it was meant.

    Only where all of it proves that: where each character outside ASCII belongs to one that is encoded right.
    """
    if not _MISREAD.search(text):
        return text
    try:
        return bytes(_WESTERN_BYTE.get(character) or ord(character) for character in text).decode("utf-8")
    except ValueError:  # a character beyond one byte, or not UTF-8
        return text


_WESTERN_BYTE = {character: byte for byte, character in C1.items()}
_MISREAD = re.compile(f"[\u00c2-\u00f4][\u0080-\u00bf{''.join(C1.values())}]")


def _declared(raw: bytes, charset: str | None) -> Iterator[str]:
    """Yield Python's names for what is declared, without what is no encoding of texts (Python knows others too)."""
    start = raw[:DECLARATION_BYTES]
    names = (found[1].decode("ascii", "ignore") for each in (_XML, _META) for found in each.finditer(start))
    for name in (charset or "", *names):
        try:
            codec = codecs.lookup(name.strip("\"' \t\r\n")).name
        except (LookupError, ValueError):
            continue
        codec = _MEANT.get(codec, codec)
        if _TEXT_CODEC.match(codec):
            yield codec


def _share_of_utf8(raw: bytes, declared: list[str]) -> float:
    """Return which share of the bytes beyond ASCII is UTF-8, all of no bytes; none where it may be so by chance."""
    try:
        text = raw.decode("utf-8")
        share = 1.0
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "ignore")
        share = 1 - (len(raw) - len(text.encode())) / len(raw.translate(None, _ASCII))
    if declared and _EAST_ASIAN.match(declared[0]) and 0 < len(text) - len(text.encode("ascii", "ignore")) < FEW:
        return 0.0
    return share


def _fitting(raw: bytes, codec: str) -> str | None:
    text = raw.decode(codec, "replace")
    return text if text.count("\ufffd") <= MAX_DAMAGE * len(raw) else None


def _is_western(words: bytes) -> bool:
    """Tell whether the letters are mostly ASCII's, as in all languages that are written in Latin letters."""
    letters = words.translate(None, _NO_LETTERS)
    return len(letters.translate(None, _ASCII)) <= WESTERN_SHARE * len(letters)


def _usual(raw: bytes, *, is_western: bool) -> str | None:
    """Return the usual encoding of the language the document says it is in, where that can be the one."""
    said = _LANGUAGE.search(raw, 0, DECLARATION_BYTES)
    codec = _USUAL.get((said[1] or said[2]).decode("ascii").lower()) if said else None
    if codec is None or (codec in _LATIN) != is_western:
        return None
    text = _fitting(raw, codec) or ""
    others = [character for character in text[:SNIFFED_BYTES] if not character.isascii()]
    # In the wrong set of the same letters, capitals stand where small letters should.
    return codec if others and sum(map(str.isupper, others)) <= sum(map(str.islower, others)) else None


def _guessed(words: bytes) -> str | None:
    from charset_normalizer import from_bytes  # imported here: few files need it

    best = from_bytes(words, cp_isolation=list(_GUESSED)).best()
    return best.encoding if best else None


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that do not belong as windows-1252: such are pasted into texts, and pieces of both are joined."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    strays = error.object[error.start : error.end]
    return "".join(bytes((byte,)).decode("cp1252", "replace") for byte in strays), error.end


_STRAYS = "backfile.windows-1252"
codecs.register_error(_STRAYS, _as_windows_1252)
