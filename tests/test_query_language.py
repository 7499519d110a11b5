"""The page on the query language is true: every example in its tables is searched for, in a small archive.

What an example finds stands here, by the example; an example that is not here, or no longer on the page, fails.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from newsroom import MeaningEmbedder

from archive.article import Article
from archive.identity import article_id
from index.language.dates import period
from index.matching import holds
from index.query import (
    DATE_OPERATORS,
    FIELDS,
    MAX_CLAUSES,
    MAX_DEPTH,
    MAX_DISTANCE,
    MAX_EDITS,
    MAX_EXPANSIONS,
    MAX_PHRASE_WORDS,
    MAX_QUERY_CHARS,
    MAX_WORDS,
    MIN_FUZZY,
    MIN_PREFIX,
    Term,
    parse,
)
from index.ranking import Mode
from index.search import Search, SearchRequest
from web.services import Services
from web.settings import Settings

PAGE = (Path(__file__).parent.parent / "docs" / "query-language.md").read_text(encoding="utf-8")
TODAY = date(2016, 3, 9)  # a Wednesday

KURSK, FARMERS, COAL, HAMPSHIRE = "Kursk talks resume", "Farmers leave Kursk", "Donbas coal", "New Hampshire votes"
IOWA, QUIET, POWER, DEAL = "A caucus in Iowa", "A quiet election", "Electricity is dear", "Budget deal reached"
NO_DEAL, VISIT, BERLIN, CUP, LETTER = (
    "No deal, no budget",
    "Zelenskyy in Gdańsk",
    "Berlin wählt",
    "Cup final",
    "A letter",
)


def article(title: str, body: str, **fields: object) -> Article:
    described: dict[str, object] = {"source": "Reuters", "section": "World", "language": "en", "authors": ()}
    described |= {"published_at": None, **fields}
    identity = article_id(url=f"https://wire.example/{title}", source=None, source_id=None, text="")
    return Article(id=identity, url=None, title=title, body=body, **described)  # type: ignore[arg-type]


def on(month: int, day: int, *, year: int = 2016) -> datetime:
    return datetime(year, month, day, 23, 59, 59, tzinfo=UTC)


ARCHIVE = [
    article(
        KURSK,
        "Talks about the occupied land near Kursk resumed in the White House.",
        authors=("Jane Doe", "Ben Marsh"),
        published_at=on(3, 5),
    ),
    article(
        FARMERS,
        "Soldiers occupied the barns and the land around Kursk lies bare. The border stays shut and no talks are held.",
        source="BBC News",
        language="en-GB",
        published_at=on(3, 8),
    ),
    article(
        COAL,
        "Coal from the territory of the Donbas crosses the border. Talks with the ministry failed.",
        source="The Times",
        section="Business",
        language="en-GB",
        published_at=on(2, 10),
    ),
    article(
        HAMPSHIRE,
        "The primary election in New Hampshire drew a crowd to a white house.",
        section="Politics",
        authors=("Jane Doe",),
        published_at=on(2, 9),
    ),
    article(IOWA, "The caucus in Iowa opens the election.", source="BBC News", published_at=on(2, 1)),
    article(QUIET, "The election in the US, the new hamlet said, was quiet.", published_at=on(11, 4, year=2015)),
    article(
        POWER,
        "Electoral promises did not lower the price of power, nor did the negotiators.",
        source="The Times",
        published_at=on(3, 1),
    ),
    article(DEAL, "The budget was agreed after a night of negotiation.", section="Politics", published_at=on(3, 7)),
    article(NO_DEAL, "Why I would vote for neither.", source="The Times", section="Opinion", published_at=on(3, 6)),
    article(VISIT, "Zelenskyy negotiates; his talks in Gdańsk go on.", published_at=on(3, 9)),
    article(BERLIN, "Die Wahl beginnt.", source="Harbour News", language="de", published_at=on(3, 2)),
    article(CUP, "The house won, all in white.", section="Sports", published_at=on(6, 30, year=2014)),
    article(LETTER, "It came without a stamp.", source="Harbour News"),
]
ALL = {one.title for one in ARCHIVE}
DATED_2016 = ALL - {QUIET, CUP, LETTER}
REUTERS = {one.title for one in ARCHIVE if one.source == "Reuters"}
TIMES = {COAL, POWER, NO_DEAL}

FINDS: Mapping[str, set[str]] = {
    "kursk occupied land": {KURSK, FARMERS},
    '"occupied land"': {KURSK},
    '"border talks"~3': {COAL},
    "election -primary": {IOWA, QUIET},
    "barns OR coal": {FARMERS, COAL},
    "kursk (land OR territory)": {KURSK, FARMERS},
    "elect*": {HAMPSHIRE, IOWA, QUIET, POWER},
    "zelensky~": {VISIT},
    "source:Reuters": REUTERS,
    'on:"last week"': {POWER, BERLIN, KURSK, NO_DEAL},
    # words
    "kursk AND talks": {KURSK, FARMERS},
    "Gdansk": {VISIT},
    "negotiating": {DEAL, POWER, VISIT},
    "U.S.": {QUIET},
    "the election": {HAMPSHIRE, IOWA, QUIET},
    # phrases and near words
    '"white house" talks': {KURSK},
    '"election primary"~0': {HAMPSHIRE},
    '"occupied land" OR coal': {KURSK, COAL},
    # exclusions
    "election NOT primary": {IOWA, QUIET},
    'election -"new hampshire"': {IOWA, QUIET},
    'talks -"border talks"~3': {KURSK, FARMERS, VISIT},
    "budget -section:opinion": {DEAL},
    "budget -negoti*": {NO_DEAL},
    "talks -zelensky~": {KURSK, FARMERS, COAL},
    "election -(primary OR caucus)": {QUIET},
    "talks -(border barns)": {KURSK, COAL, VISIT},
    "-source:Reuters -language:de": ALL - REUTERS - {BERLIN},
    # either, or
    "barns | coal": {FARMERS, COAL},
    "kursk barns OR border": {FARMERS},
    "(kursk barns) OR (donbas coal)": {FARMERS, COAL},
    "kursk (land OR territory) -barns": {KURSK},
    'kursk OR source:"The Times"': {KURSK, FARMERS, *TIMES},
    "election OR -talks": ALL - {KURSK, FARMERS, COAL, VISIT},
    # beginnings and misspellings
    "kirsk~": {KURSK, FARMERS},
    "electoin~1": {HAMPSHIRE, IOWA, QUIET},
    "kursk (barn* OR zelensky~)": {FARMERS},
    # filters
    "title:budget": {DEAL, NO_DEAL},
    'title:"budget deal"': {DEAL},
    "title:(deal budget)": {DEAL, NO_DEAL},
    'author:"Jane Doe"': {KURSK, HAMPSHIRE},
    "source:reuters": REUTERS,
    "section:sports": {CUP},
    "language:en": ALL - {BERLIN},
    "language:English": ALL - {BERLIN},
    "language:en-GB": {FARMERS, COAL},
    'source:Reuters source:"The Times"': REUTERS | TIMES,
    'source:(Reuters OR "The Times")': REUTERS | TIMES,
    "source:Reuters section:politics": {HAMPSHIRE, DEAL},
    # dates
    "after:2016-03-07": {DEAL, FARMERS, VISIT},
    "before:2015": {QUIET, CUP},
    "on:2016-02": {COAL, HAMPSHIRE, IOWA},
    "after:2016-03-05 before:2016-03-07": {KURSK, NO_DEAL, DEAL},
    "on:2014 on:2015": {CUP, QUIET},
    "on:yesterday": {FARMERS},
    "on:monday": {DEAL},
    'after:"3 days ago"': {NO_DEAL, DEAL, FARMERS, VISIT},
    'on:"past 7 days"': {KURSK, NO_DEAL, DEAL, FARMERS, VISIT},
    'on:"5 march 2016"': {KURSK},
    "before:november 2015": {QUIET, CUP},
    "on:2010s": ALL - {LETTER},
    "-after:2016": ALL - DATED_2016,
}


# Of these, some articles hold no word of the query. Where only words are searched, such articles are not shown.
WORDLESS = {'kursk OR source:"The Times"', "election OR -talks"}


def rows(text: str) -> list[str]:
    """Return the example in the first cell of each table row; a bar within a cell is escaped."""
    return [typed.replace("\\|", "|") for typed in re.findall(r"^\| `((?:[^`|]|(?<=\\)\|)+)` \| .+ \|$", text, re.M)]


_BEFORE, _REST = PAGE.split("### Words in other languages")
ELSEWHERE, _AFTER = _REST.split("## Phrases and near words")
EXAMPLES = list(dict.fromkeys(rows(_BEFORE + _AFTER)))

HAUSES, FREIHEIT, WAHL, ELECTIONS, VYBORY, HUKUMA, HAUSER, GAULLE = (
    "Wahlen", "Freiheit", "Wahl", "Élections", "О выборах", "الحكومة", "Arnold Hauser", "De Gaulle"
)  # fmt: skip
WORLD = [
    article(HAUSES, "In den Häusern wird gewählt.", language="de-AT"),
    article(FREIHEIT, "Freiheit für alle!", language="de"),
    article(WAHL, "Wahl: Stadt und Land.", language="de"),
    article(ELECTIONS, "L’élection, des élections nationales.", language="fr"),
    article(VYBORY, "Ждут новых выборов.", language="ru"),
    article(HUKUMA, "موعد الانتخابات", language="ar"),
    article(HAUSER, "They die hard. A wahl.", language="en"),
    article(GAULLE, "A fall of Charles de Gaulle.", language="en"),
]
FINDS_ELSEWHERE: Mapping[str, set[str]] = {
    "Wahl Haus": {HAUSES},
    '"élection nationale"': {ELECTIONS},
    "élection": {ELECTIONS},
    "выборы": {VYBORY},
    "انتخابات": {HUKUMA},
    "die Wahl in der Stadt": {WAHL},
    "die hard": {HAUSER},
    "the fall of de Gaulle": {GAULLE},
    "die Freiheit language:de": {FREIHEIT},
}


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    yield from searching(ARCHIVE, tmp_path_factory.mktemp("language"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    yield from searching(WORLD, tmp_path_factory.mktemp("world"))


def searching(articles: Sequence[Article], folder: Path) -> Iterator[Search]:
    services = Services(Settings(data=folder), embedder=MeaningEmbedder())
    for one in articles:
        services.store.put(one)
    services.builder.update()
    yield Search(
        store=services.store,
        serving=services.serving,
        embedder=lambda _: services.embedder,
        fusion="weighted-sum",
        today=lambda: TODAY,
    )
    services.close()


def found(search: Search, typed: str, *, mode: Mode) -> set[str]:
    answer = search.search(SearchRequest(query=typed, mode=mode, page_size=100))
    assert answer.total == len(answer.results)
    assert not answer.relaxed
    return {result.article.title for result in answer.results}


def test_every_example_of_the_page_is_searched_for_and_no_other() -> None:
    assert set(EXAMPLES) == set(FINDS)
    assert len(rows(PAGE)) == len(re.findall(r"^\| `", PAGE, re.M))


@pytest.mark.parametrize("typed", EXAMPLES)
def test_an_example_finds_what_the_page_says(search: Search, typed: str) -> None:
    assert found(search, typed, mode="hybrid" if typed in WORDLESS else "keyword") == FINDS[typed]


@pytest.mark.parametrize("typed", EXAMPLES)
def test_with_meaning_as_well_an_example_finds_no_less_and_nothing_that_it_rules_out(
    search: Search, typed: str
) -> None:
    both = found(search, typed, mode="hybrid")
    assert both >= FINDS[typed]
    query = parse(typed, today=TODAY)
    assert {one.title for one in ARCHIVE if not holds(query, one)} & both == set()
    if not query.wanted:
        assert both == FINDS[typed]


def test_words_that_no_article_holds_together_find_most_of_them_and_say_so(search: Search) -> None:
    answer = search.search(SearchRequest(query="kursk soldiers caucus", mode="keyword"))
    assert answer.relaxed
    assert answer.results[0].article.title == FARMERS


# What the page says besides


def test_every_filter_and_date_operator_has_an_example() -> None:
    for name in (*FIELDS, *DATE_OPERATORS):
        assert any(re.search(rf"(?<!\w){name}:", example) for example in EXAMPLES), name


@pytest.mark.parametrize(
    ("limit", "number"),
    [
        ("characters of a query", MAX_QUERY_CHARS),
        ("words of a query", MAX_WORDS),
        ("together", MAX_CLAUSES),
        ("words of a phrase", MAX_PHRASE_WORDS),
        ("other words between near words", MAX_DISTANCE),
        ("parentheses", MAX_DEPTH),
        ("edits", MAX_EDITS),
        ("words of the archive", MAX_EXPANSIONS),
    ],
)
def test_every_limit_is_in_the_table(limit: str, number: int) -> None:
    table = PAGE.split("| limit | at most |")[1].split("\n\n")[0]
    assert re.search(rf"^\| .*{limit}.* \| {number:,} \|$", table, re.M)


def test_the_least_letters_are_said() -> None:
    assert f"fewer than {MIN_PREFIX} letters" in PAGE
    assert f"fewer than {MIN_FUZZY}." in PAGE


@pytest.mark.parametrize(
    "typed",
    re.findall(r"`([^`]+)`", PAGE.split("A date is a day")[1].split("- Both ends")[0]),
)
def test_every_form_of_a_date_that_is_named_is_one(typed: str) -> None:
    if typed not in ("this", "last", "past", "week", "month", "year"):
        assert period(typed, TODAY) is not None


@pytest.mark.parametrize("typed", re.findall(r"`([^`]+)`", PAGE.split("Signs inside a word")[1].split("### Words")[0]))
def test_what_is_said_to_be_a_word_is_one(typed: str) -> None:
    query = parse(typed, today=TODAY)
    assert [clause.text for clause in query.wanted if isinstance(clause, Term)] == [typed]


def test_every_example_in_other_languages_has_its_result_here() -> None:
    assert set(rows(ELSEWHERE)) == set(FINDS_ELSEWHERE)


@pytest.mark.parametrize("typed", FINDS_ELSEWHERE)
def test_examples_in_other_languages_find_what_the_page_says(elsewhere: Search, typed: str) -> None:
    assert found(elsewhere, typed, mode="keyword") == FINDS_ELSEWHERE[typed]
