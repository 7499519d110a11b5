"""Queries that every engine reads alike: plain words, each once, the same for the same articles."""

import re
from random import Random

from benchmarks.peers.queries import common_words, phrase, queries_from, question

TOWNS = ("Ashby", "Barrow", "Corley", "Dunmore", "Elstow")
ARTICLES = [
    {
        "title": f"Mayor of {town} says 'NOT now' to plan No. {number}: what's next?",
        "body": f"The council of {town} met again, Robert Hartley said, and number{number} of the plans was refused. "
        + " ".join(f"word{first}{second}" for first in "abcdefghij" for second in "abcdefghij")
        + " Several members asked for another report about roads before the winter comes. " * 4,
    }
    for number, town in enumerate(TOWNS * 8)
]


def test_queries_are_plain_words_in_lower_case_and_each_stands_once() -> None:
    queries = queries_from(ARTICLES, count=60)
    assert len(queries) == len(set(queries)) == 60
    assert all(re.fullmatch(r"[a-z0-9]+( [a-z0-9]+)*", query) for query in queries)


def test_the_same_articles_make_the_same_queries() -> None:
    assert queries_from(ARTICLES, count=40) == queries_from([dict(one) for one in ARTICLES], count=40)
    assert queries_from(ARTICLES, count=40) != queries_from(ARTICLES, count=40, seed=5)


def test_headlines_phrases_questions_and_common_words_are_all_asked() -> None:
    queries = queries_from(ARTICLES, count=60)
    assert any(query.startswith("mayor of") for query in queries)
    assert any(
        query.startswith(("what", "who", "why", "when", "how")) and "robert hartley" in query for query in queries
    )
    assert any(len(query.split()) <= 3 for query in queries)
    assert any(5 <= len(query.split()) <= 9 and not query.startswith(("mayor", "what", "who")) for query in queries)


def test_no_more_queries_are_made_than_there_are_words_for() -> None:
    assert len(queries_from([{"title": "One", "body": "Too short."}], count=10)) == 1


def test_a_phrase_is_taken_from_the_text_and_a_short_text_has_none() -> None:
    words = [f"w{number}" for number in range(60)]
    taken = phrase({"body": " ".join(words)}, Random(1)).split()
    start = words.index(taken[0])
    assert 5 <= len(taken) <= 9
    assert words[start : start + len(taken)] == taken
    assert phrase({"body": "only four words here"}, Random(1)) == ""


def test_a_text_without_a_name_is_asked_no_question() -> None:
    assert question({"body": "nobody is named in this text at all"}, Random(1)) == ""
    assert "Ruth Okafor" in question({"body": "as was said by Ruth Okafor yesterday"}, Random(1))


def test_common_words_are_not_the_commonest() -> None:
    bodies = [{"body": " ".join(f"stop{'abcdefghij'[n // 26]}{chr(97 + n % 26)}" for n in range(80))} for _ in range(3)]
    bodies.append({"body": " ".join(f"stop{'abcdefghij'[n // 26]}{chr(97 + n % 26)}" for n in range(60))})
    found = common_words(bodies)
    assert len(found) == 20
    assert "stopaa" not in found
