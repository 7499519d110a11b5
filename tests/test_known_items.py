"""Known items: which headlines are asked for, what is left of them in what is searched, and drawing the same again."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from archive.article import Article
from archive.errors import SourceError
from archive.store import Store
from index.evaluation import known_items
from index.evaluation.known_items import KnownItems, draw

SUBJECTS = ("harbour", "orchard", "tramway", "foundry", "library", "quarry", "theatre", "brewery", "lighthouse", "mill")
FILLER = "People came to see what had become of it, and many of them stayed until the evening to talk with neighbours."


def article(number: int, **changes: object) -> Article:
    name = "V" + "".join("bcdfghklmn"[int(digit)] + "a" for digit in f"{number:03}")
    fields: dict[str, object] = {
        "id": f"{number:016x}",
        "title": f"{SUBJECTS[number % 10].title()} by {name}um and {name}ok",
        "body": f"It was told on day {number}. {FILLER}",
    }
    return Article(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "archive.sqlite3")


def filled(store: Store, articles: Iterable[Article]) -> Store:
    for each in articles:
        store.put(each)
    return store


def drawn(store: Store, *, articles: int = 1_000, queries: int = 1_000, seed: int = 1) -> KnownItems:
    return draw(store, articles=articles, queries=queries, seed=seed)


def asked(store: Store, *others: Article) -> set[str]:
    """Return which of `others` are asked for when they stand among ten ordinary articles."""
    filled(store, [*map(article, range(10)), *others])
    found = set(drawn(store).headlines)
    assert {article(number).id for number in range(10)} - {each.id for each in others} <= found
    return found & {each.id for each in others}


# What is searched


def test_no_headline_is_left_in_what_is_searched(store: Store) -> None:
    items = drawn(filled(store, map(article, range(30))))
    assert len(items.articles) == len(items.headlines) == 30
    for each in items.articles.values():
        assert (each.title, each.derived_title, each.body) == ("", True, article(int(each.id, 16)).body)
    assert items.headlines[article(7).id] == article(7).title


@pytest.mark.parametrize("between", ["\n\n", ". ", " – ", "”\n"])
def test_a_copy_of_the_headline_at_the_head_of_the_text_goes_too(store: Store, between: str) -> None:
    copied = article(
        3,
        body=f"LIGHTHOUSE Closes — after “flooding”{between}{FILLER}",
        title="Lighthouse closes after flooding",
    )
    items = drawn(filled(store, [article(1), copied]))
    assert items.articles[copied.id].body == FILLER
    assert copied.id in items.headlines


def test_a_text_that_is_nothing_but_its_headline_stays_and_is_not_asked_for(store: Store) -> None:
    bare = article(40, title="Weir gates opened at night", body="Weir gates opened at night.")
    assert asked(store, bare) == set()
    assert drawn(store).articles[bare.id].body == bare.body


def test_a_title_that_was_made_from_the_text_takes_nothing_out_of_it(store: Store) -> None:
    made = article(40, title="People came to see what", body=f"People came to see what. {FILLER}", derived_title=True)
    assert asked(store, made) == set()
    assert drawn(store).articles[made.id].body == made.body


# What is asked for


@pytest.mark.parametrize(
    "changes",
    [
        {"derived_title": True},
        {"title": "Obituaries"},
        {"title": "The weather, and the sea"},
        {"title": "Prices 1987 12.5 42"},
        {"body": "Too short to be found by anything that it says."},
        {"body": f"{FILLER} He called it “Weir gates opened; at night”, and went home. {FILLER}"},
    ],
    ids=["no headline", "one word", "two words", "numbers", "short", "quoted"],
)
def test_what_asks_for_nobody_in_particular_is_not_asked_for(store: Store, changes: dict[str, object]) -> None:
    ordinary = article(40, title="Weir gates opened at night")
    assert asked(store, replace(ordinary, **changes)) == set()  # type: ignore[arg-type]


def test_the_same_article_without_those_faults_is_asked_for(store: Store) -> None:
    ordinary = article(40, title="Weir gates opened at night")
    assert asked(store, ordinary) == {ordinary.id}


@pytest.mark.parametrize(
    "twin",
    [
        "Weir gates opened at night",
        "WEIR GATES: opened, at night!",
        "At night, the weir’s gates opened",
        "Weir gates opened at night 2",
        "Weir gates opened at night again by boys",
        "Weir gates opened",
    ],
)
def test_a_headline_that_two_articles_nearly_share_is_asked_for_neither(store: Store, twin: str) -> None:
    one, other = article(40, title="Weir gates opened at night"), article(41, title=twin)
    assert asked(store, one, other) == set()


def test_a_headline_that_shares_half_its_words_is_another_question(store: Store) -> None:
    one, other = article(40, title="Weir gates opened at night"), article(41, title="Weir gates painted green")
    assert asked(store, one, other) == {one.id, other.id}


def test_two_articles_of_one_text_are_asked_for_neither(store: Store) -> None:
    one = article(40, title="Weir gates opened at night")
    other = article(41, title="Boys released thousands of trout", body=f"  {one.body}\n")
    assert asked(store, one, other) == set()


def test_a_twin_outside_what_is_searched_does_not_matter(store: Store) -> None:
    pairs = [article(number) for number in range(10)]
    filled(store, [*pairs, *(replace(each, id=f"f{each.id[1:]}", body=f"Again: {each.body}") for each in pairs)])
    items = drawn(store, articles=8)
    alone = [one for one in items.articles if sum(other[1:] == one[1:] for other in items.articles) == 1]
    assert set(items.headlines) == set(alone) != set()


def test_what_is_not_shown_is_neither_searched_nor_asked_for(store: Store) -> None:
    withdrawn, coming = article(40), article(41, status="embargoed")
    filled(store, [*map(article, range(5)), withdrawn, coming]).remove(withdrawn.id)
    assert set(drawn(store).articles) == {article(number).id for number in range(5)}


def test_an_archive_with_nothing_to_ask_for_says_what_it_takes(store: Store) -> None:
    filled(store, [article(number, title="Untitled") for number in range(3)])
    with pytest.raises(SourceError, match=r"none of 3 articles .* docs/operations\.md") as caught:
        drawn(store)
    assert "\n" not in str(caught.value)


def test_an_empty_archive_says_so_too(store: Store) -> None:
    with pytest.raises(SourceError, match="none of 0 articles"):
        drawn(store)


# The draw


def test_the_same_seed_draws_the_same_and_another_draws_others_from_the_same_articles(store: Store) -> None:
    filled(store, map(article, range(200)))
    first, again, other = (drawn(store, articles=100, queries=20, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert len(first.headlines) == len(other.headlines) == 20
    assert set(first.headlines) != set(other.headlines)
    assert set(first.articles) == set(other.articles)
    assert len(first.articles) == 100
    assert set(first.headlines) <= set(first.articles)


def test_a_smaller_sample_lies_within_a_larger_one(store: Store) -> None:
    filled(store, map(article, range(200)))
    assert set(drawn(store, articles=50).articles) < set(drawn(store, articles=120).articles)


def test_what_comes_in_overnight_changes_little_of_the_sample(store: Store) -> None:
    before = set(drawn(filled(store, map(article, range(200))), articles=100).articles)
    after = set(drawn(filled(store, map(article, range(200, 210))), articles=100).articles)
    assert 90 <= len(before & after) < 100


def test_the_draw_does_not_go_by_the_order_of_ids(store: Store) -> None:
    sample = sorted(int(each, 16) for each in drawn(filled(store, map(article, range(200))), articles=100).articles)
    assert 70 < sum(sample) / len(sample) < 130


def test_each_headline_has_one_answer(store: Store) -> None:
    items = drawn(filled(store, map(article, range(30))), queries=5)
    collection = items.collection(items.headlines)
    assert collection.judged.queries == items.headlines
    assert collection.judged.qrels == {article_id: {article_id: 1} for article_id in items.headlines}
    assert list(items.headlines) == sorted(items.headlines)
    assert len(list(collection.articles)) == 30


def test_every_pair_of_near_headlines_is_seen_whatever_their_words() -> None:
    """The look-up goes by a headline's rarest words only; held against comparing every pair."""
    chance = Random(1)
    words = [f"w{number}" for number in range(40)]
    telling = {f"{number:03}": frozenset(chance.sample(words, number % 7)) for number in range(300)}
    near = {
        one
        for one, terms in telling.items()
        for other, others in telling.items()
        if one != other and terms and len(terms & others) >= known_items.NEAR * len(terms | others)
    }
    assert known_items._shared(telling) == near
    assert 0 < len(near) < 300
