"""Bytes into text for formats whose character set is written in them, often wrongly: feeds, sitemaps, subscriptions.

Invariant: something readable always comes out. What the bytes prove (a byte-order mark, valid UTF-8) goes before what
is declared, and what is declared before what is guessed.
"""

import codecs
import re

HEAD_BYTES = 4_096  # where a declaration can stand
SNIFFED_BYTES = 1 << 16  # as much as a guess is made from
MAX_DAMAGE = 0.01  # share of bytes that may not fit what is declared
FEW = 5  # characters: as few of an East Asian encoding can be valid UTF-8 by chance (1 in 8 of them each)
WESTERN_SHARE = 0.25  # of the letters outside ASCII: above it a text is not in a western European language

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
_DECLARATION = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([\w.:-]{1,40})", re.IGNORECASE)
_TAG = re.compile(rb"<[^<>]*>|&#?\w+;")
# What a name means in practice: the larger set that programs write under it (WHATWG Encoding Standard, section 4.2).
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
_TEXT_CODEC = re.compile(r"iso8859|iso2022_|cp\d|koi8|mac|gb|big5|euc|shift|tis|johab|utf-8|ptcp|kz")
_EAST_ASIAN = re.compile("gb|big5|euc|shift|cp9[345]|johab")
_GUESSED = (
    *("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
C1 = {byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in b"\x81\x8d\x8f\x90\x9d"}
"""For `str.translate`: what is meant by the control characters that windows-1252 has letters and quotes in place of."""


def decoded(raw: bytes, *, charset: str | None = None) -> str:
    """Return `raw` as text; `charset` is what the server said of it, which goes before what the document says."""
    codec, marked = wide_encoding(raw)
    if codec:
        return raw[marked:].decode(codec, "replace")
    declared = [found for name in (charset, _declared(raw)) if name and (found := _codec(name))]
    if text := _proven(raw, declared):
        return text
    for codec in declared:
        if codec != "utf-8" and (text := _as_declared(raw, codec)):
            return text
    guess = _guess(raw)
    return raw.decode(guess, "replace") if guess else _mixed(raw)


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


def _declared(raw: bytes) -> str | None:
    found = _DECLARATION.search(raw, 0, HEAD_BYTES)
    return found[1].decode("ascii") if found else None


def _codec(name: str) -> str | None:
    """Return Python's name for what `name` means, None for what is no encoding of texts (Python knows others too)."""
    try:
        codec = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return None
    codec = _MEANT.get(codec, codec)
    return codec if _TEXT_CODEC.match(codec) else None


def _proven(raw: bytes, declared: list[str]) -> str | None:
    """Return `raw` as UTF-8 where it is that beyond doubt."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if raw.isascii() and b"\x1b" in raw:  # of an encoding in seven bits
        return None
    if declared and _EAST_ASIAN.match(declared[0]) and 0 < len(text) - sum(map(str.isascii, text)) < FEW:
        return None
    return text


def _as_declared(raw: bytes, codec: str) -> str | None:
    if codec == "cp1252":  # it has no faults to find: nearly every byte means something
        return None
    text = raw.decode(codec, "replace")
    return text if text.count("\ufffd") <= MAX_DAMAGE * len(raw) else None


def _mixed(raw: bytes) -> str:
    """Decode what is UTF-8 as that and every other byte as windows-1252: pieces of both meet in one feed."""
    return raw.decode("utf-8", "backfile-western")


def _western(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1").translate(C1), error.end


codecs.register_error("backfile-western", _western)


def _guess(raw: bytes) -> str | None:
    """Return an encoding for text without a declaration that holds, None where windows-1252 is the best one."""
    if b"\x1b$B" in raw[:SNIFFED_BYTES]:
        return "iso2022_jp"
    words = _TAG.sub(b" ", raw[:SNIFFED_BYTES])
    high = sum(byte > 0x7F for byte in words)
    letters = high + sum(byte in _ASCII_LETTERS for byte in words)
    if high <= WESTERN_SHARE * letters:
        return None
    from charset_normalizer import from_bytes  # imported here: few files need it

    best = from_bytes(words, cp_isolation=list(_GUESSED)).best()
    return best.encoding if best else None


_ASCII_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
