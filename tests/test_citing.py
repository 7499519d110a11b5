"""Citations: what each form holds, what is said of what is unknown, and that no text breaks the form it stands in."""

import json
import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsroom import HOSTILE, article

from archive.article import Article
from web.citing import Citation, bibtex, csl, csl_json, plain, ris

ADDRESS = "http://localhost/articles/0a1b2c3d4e5f6071/versions/2"
FLOOD = article(
    1,
    id="0a1b2c3d4e5f6071",
    title="Will the dam hold?",
    authors=("By JANE DOE, Staff Writer", "Vincent van Gogh", "Reuters"),
    published_at=datetime(2001, 3, 2, 23, 30, tzinfo=UTC),
    version=2,
)


def cited(changed: Article = FLOOD) -> Citation:
    return Citation(changed, "Test & Tribune", ADDRESS, date(2026, 11, 29))


def flood(**changes: object) -> Citation:
    return cited(article(1, id="0a1b2c3d4e5f6071", version=2, **changes))


def test_in_words_it_is_cited_as_newspapers_are() -> None:
    assert plain(cited()) == (
        "Doe, Jane, Vincent van Gogh and Reuters. “Will the dam hold?” Harbour News, 2 March 2001."
        " https://outlet1.example/1. Archived in Test & Tribune, version 2,"
        " http://localhost/articles/0a1b2c3d4e5f6071/versions/2; accessed 29 November 2026."
    )


def test_what_is_unknown_is_left_out_or_said_to_be() -> None:
    unknown = plain(flood(authors=(), published_at=None, source=None, url=None, title="The dam", derived_title=True))
    assert unknown.startswith("“[The dam].” n.d. Archived in")
    assert plain(flood(authors=("A B", "C D", "E F", "G H"))).startswith("B, A et al. “")
    entry = bibtex(flood(authors=(), published_at=None, source=None, url=None))
    assert entry.startswith("@misc{article-0a1b2c3d4e5f6071,\n  title = {{")
    for field in ("author", "journal", "year", "date", "month"):
        assert f"  {field} = " not in entry
    assert "AU  - " not in ris(flood(authors=()))
    assert {"author", "issued", "container-title"} & set(
        csl(flood(authors=(), published_at=None, source=None))[0]
    ) == set()


def test_bibtex_has_names_in_parts_and_bodies_in_braces() -> None:
    assert bibtex(cited()).splitlines() == [
        "@article{article-0a1b2c3d4e5f6071,",
        "  author = {Doe, Jane and van Gogh, Vincent and {Reuters}},",
        "  title = {{Will the dam hold?}},",
        "  journal = {Harbour News},",
        "  entrysubtype = {newspaper},",
        "  year = {2001},",
        "  date = {2001-03-02},",
        "  url = {https://outlet1.example/1},",
        "  urldate = {2026-11-29},",
        "  langid = {en},",
        "  note = {Archived in Test \\& Tribune, version 2, http://localhost/articles/0a1b2c3d4e5f6071/versions/2},",
        "  month = mar",
        "}",
    ]


def test_bibtex_escapes_its_signs_and_keeps_unicode() -> None:
    entry = bibtex(
        flood(title=r"50% of {£5} & $6_7 #1 ~^\ – Überschwemmung 洪水", url="https://a.example/{x} y?a=1&b=%20_")
    )
    assert (
        r"{{50\% of \textbraceleft{}£5\textbraceright{} \& \$6\_7 \#1 \textasciitilde{}\textasciicircum{}"
        r"\textbackslash{} – Überschwemmung 洪水}}" in entry
    )
    assert "url = {https://a.example/%7Bx%7D%20y?a=1&b=%20_}" in entry


def test_ris_has_a_line_for_each_thing() -> None:
    assert ris(cited()).split("\r\n") == [
        "TY  - NEWS",
        "AU  - Doe, Jane",
        "AU  - van Gogh, Vincent",
        "AU  - Reuters",
        "TI  - Will the dam hold?",
        "T2  - Harbour News",
        "SE  - Weather",
        "PY  - 2001",
        "DA  - 2001/03/02/",
        "LA  - en",
        "UR  - https://outlet1.example/1",
        "Y2  - 2026/11/29/",
        "DP  - Test & Tribune",
        "ID  - article-0a1b2c3d4e5f6071",
        "N1  - Archived in Test & Tribune, version 2, http://localhost/articles/0a1b2c3d4e5f6071/versions/2",
        "ER  - ",
        "",
    ]


def test_csl_has_dates_in_parts() -> None:
    item = csl(cited())[0]
    assert item["type"] == "article-newspaper"
    assert item["author"] == [
        {"family": "Doe", "given": "Jane"},
        {"family": "Gogh", "given": "Vincent", "non-dropping-particle": "van"},
        {"literal": "Reuters"},
    ]
    assert item["issued"] == {"date-parts": [[2001, 3, 2]]}
    assert item["accessed"] == {"date-parts": [[2026, 11, 29]]}
    assert (item["archive_location"], item["version"]) == (ADDRESS, "2")
    assert json.loads(csl_json(cited())) == csl(cited())


def test_the_key_stays_when_the_article_is_corrected() -> None:
    assert cited().key == flood(authors=("Other",), title="Other", published_at=None).key == "article-0a1b2c3d4e5f6071"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(HOSTILE)


@given(TEXTS, TEXTS, TEXTS)
def test_no_text_breaks_its_form(title: str, name: str, source: str) -> None:
    hostile = flood(title=title, authors=(name, f"{name} x"), source=source, section=title, language=name)
    entry = bibtex(hostile)
    assert entry.count("{") == entry.count("}")
    depth = 0
    for sign in entry:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert len(re.findall(r"^  [a-z]+ = ", entry, flags=re.MULTILINE)) == len(entry.splitlines()) - 2
    lines = ris(hostile).split("\r\n")
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]  - [^\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]*", line) for line in lines[:-1])
    assert [line for line in lines if line.startswith("ER")] == ["ER  - "]
    assert json.loads(csl_json(hostile))
    assert len(plain(hostile).splitlines()) == 1


@pytest.mark.parametrize("title", ["Over", "Over!", "Over…", "Over."])
def test_a_headline_ends_with_one_stop(title: str) -> None:
    assert re.search(rf"“{re.escape(title.rstrip('.'))}\.?” ", plain(flood(title=title)))
    assert ".. " not in plain(flood(title=title))
