"""Pages, feeds and agencies' XML are read in the encoding they are in, whatever is declared."""

import pytest

from archive.readers.charset import decoded

GERMAN = "<html lang='de'><head>{meta}</head><body><p>Müller sprach über „größere“ Brücken – für 5 €.</p></body></html>"
RUSSIAN = "<html{lang}><body><p>{text}</p></body></html>"
PLAIN_RUSSIAN = "Старый мост через реку вновь открылся в понедельник после двух лет ремонта, сообщил совет. " * 3
META = '<meta charset="{}">'


def german(charset: str | None = None) -> str:
    return GERMAN.format(meta=META.format(charset) if charset else "")


@pytest.mark.parametrize(
    ("encoding", "meta", "header"),
    [
        ("utf-8", None, None),
        ("utf-8", "utf-8", "utf-8"),
        ("utf-8", "iso-8859-1", None),
        ("utf-8", None, "ISO-8859-1"),
        ("utf-8", "windows-1251", "windows-1251"),
        ("utf-8", "klingon", '"klingon"'),
        ("cp1252", "windows-1252", None),
        ("cp1252", None, "windows-1252"),
        ("cp1252", "iso-8859-1", None),
        ("cp1252", "utf-8", None),
        ("cp1252", None, "utf-8"),
        ("cp1252", "utf-8", "UTF8"),
        ("cp1252", None, None),
        ("cp1252", "rot13", "base64"),
        ("utf-8-sig", "iso-8859-1", "iso-8859-1"),
        ("utf-16", "utf-8", None),
        ("utf-16-le", None, None),
        ("utf-16-be", None, "utf-16"),
        ("utf-32", None, None),
    ],
)
def test_an_encoding_is_found_declared_rightly_wrongly_or_not_at_all(
    encoding: str, meta: str | None, header: str | None
) -> None:
    page = german(meta)
    assert decoded(page.encode(encoding), charset=header) == page


def test_the_server_goes_before_the_page() -> None:
    page = RUSSIAN.format(lang="", text=META.format("koi8-r") + PLAIN_RUSSIAN)
    assert decoded(page.encode("cp1251"), charset="windows-1251") == page


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("koi8-r", "koi8_r", PLAIN_RUSSIAN),
        ("GB2312", "gb18030", "旧桥在维修两年后重新开放。镕"),  # the last is beyond GB2312
        ("Shift_JIS", "cp932", "橋は二年間の修理の後①再開した。"),
        ("EUC-KR", "cp949", "다리가 2년 만에 다시 열렸다. 똠방각하"),
        ("big5", "big5hkscs", "舊橋重新開放"),
        ("iso-2022-jp", "iso2022_jp", "橋が再開した"),
        ("iso-8859-9", "cp1254", "Köprü yeniden açıldı – nihayet"),
    ],
)
def test_names_mean_what_browsers_take_them_for(declared: str, encoding: str, text: str) -> None:
    page = f"<html><head>{META.format(declared)}</head><body>{text}</body></html>"
    assert decoded(page.encode(encoding), charset=None) == page


def test_an_xml_declaration_counts() -> None:
    page = f'<?xml version="1.0" encoding="windows-1251"?><html><body>{PLAIN_RUSSIAN}</body></html>'
    assert decoded(page.encode("cp1251"), charset=None) == page


def test_the_language_tells_where_nothing_else_does() -> None:
    page = RUSSIAN.format(lang=' lang="ru"', text="Мост открыт.")
    assert decoded(page.encode("cp1251"), charset=None) == page


@pytest.mark.parametrize(("encoding", "charset"), [("cp1251", None), ("koi8_r", "utf-8"), ("cp1251", "utf-8")])
def test_the_bytes_tell_where_neither_a_declaration_nor_the_language_does(encoding: str, charset: str | None) -> None:
    page = RUSSIAN.format(lang="", text=PLAIN_RUSSIAN)
    assert decoded(page.encode(encoding), charset=charset) == page


def test_bytes_that_do_not_belong_into_a_utf8_page_are_read_as_windows_1252() -> None:
    raw = german("utf-8").encode() + "<p>„größer“</p>".encode() * 20 + b"<p>caf\xe9 \x93so\x94 \x81</p>"
    assert decoded(raw, charset=None).endswith("<p>café “so” \ufffd</p>")


def rss(text: str, *, language: str = "", encoding: str = "") -> str:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding else ""
    said = f"<language>{language}</language>" if language else ""
    return f"{declaration}<rss><channel>{said}<title>{text}</title></channel></rss>"


def test_a_western_declaration_proves_nothing_and_any_other_goes_before_it() -> None:
    feed = rss(PLAIN_RUSSIAN, encoding="windows-1251")
    assert decoded(feed.encode("cp1251"), charset="ISO-8859-1") == feed
    alone = rss(PLAIN_RUSSIAN, encoding="iso-8859-1")
    assert decoded(alone.encode("koi8_r"), charset="ISO-8859-1") == alone


def test_the_xml_declaration_goes_before_a_meta_that_was_pasted_into_a_feed() -> None:
    feed = rss(f"<![CDATA[{META.format('koi8-r')}{PLAIN_RUSSIAN}]]>", encoding="windows-1251")
    assert decoded(feed.encode("cp1251")) == feed


@pytest.mark.parametrize(
    ("language", "encoding", "text"),
    [
        ("cs", "cp1250", "Starý most se po dvou letech znovu otevřel, uvedl úřad"),
        ("pl", "cp1250", "Stary most został ponownie otwarty po dwóch latach, podał urząd"),
        ("ru", "koi8_r", PLAIN_RUSSIAN),
        ("en-US", "cp1251", PLAIN_RUSSIAN),
    ],
)
def test_a_feeds_language_counts_where_it_can_be_true(language: str, encoding: str, text: str) -> None:
    feed = rss(text, language=language)
    assert decoded(feed.encode(encoding)) == feed


def test_a_damaged_byte_does_not_cost_the_encoding() -> None:
    raw = rss(PLAIN_RUSSIAN).encode()
    assert decoded(raw.replace(b"</title>", b"\xd0</title>")) == rss(PLAIN_RUSSIAN + "Ð")
    chinese = rss("旧桥在维修两年后重新开放。" * 9, encoding="gb2312")
    assert decoded(chinese.encode("gb18030").replace(b"</title>", b"\xff</title>"))[:99] == chinese[:99]


def test_pieces_of_two_encodings_are_each_read_in_their_own() -> None:
    raw = rss("L’été, un café").encode() + "<p>Déjà, à Besançon, café</p>".encode("cp1252")
    assert decoded(raw).endswith("L’été, un café</title></channel></rss><p>Déjà, à Besançon, café</p>")


def test_any_bytes_become_text() -> None:
    for raw in (
        b"",
        b"\xff",
        b"\x1b$B\xff",
        b"~{",
        b"<script " * 20_000 + b"\xe4",
        b"\xff\xfe\x00",
        bytes(range(256)) * 4,
        b"\xef\xbb\xbf",
        b"<\0h\0\xff",
    ):
        decoded(raw, charset="utf-7")
