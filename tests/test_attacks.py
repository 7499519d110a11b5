"""Every named attack on a small archive: an answer or a refusal, and no more work than the archive is large.

How long they take and how much memory, over an archive of real size, `benchmarks/hostile_queries.py` tells.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from flask import Flask

from benchmarks.attacks import Attack, attacks, query_attacks
from benchmarks.hostile_queries import Here
from index.analysis import words
from index.budget import measured
from index.keywords.vocabulary import Vocabulary
from index.query import MAX_CLAUSES, MAX_EXPANSIONS

ALL = attacks("0" * 16)
ANSWERED = {200, 301, 400, 404, 413}
MOST_SENT = 2_000_000  # bytes


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("attacked"), keywords="tantivy", rate_limit=0) as app:
        newsroom.services_of(app).made["crew"] = Here()
        yield app


@pytest.fixture(scope="module")
def words_held(archive: Flask) -> int:
    """How many words the archive's texts have, and places between them."""
    store = archive.extensions["backfile"].store
    articles = store.live(store.live_ids()).values()
    return sum(len(words(article.title)) + len(words(article.body)) + 2 for article in articles)


def test_there_are_sixty_attacks_on_the_query_alone_each_with_a_name_of_its_own() -> None:
    assert len(query_attacks()) >= 60
    assert len({attack.name for attack in ALL}) == len(ALL) >= 110


@pytest.mark.parametrize("place", range(len(ALL)), ids=[attack.name for attack in ALL])
def test_it_is_answered_or_refused_for_so_much_work_at_most(
    archive: Flask, words_held: int, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    store = archive.extensions["backfile"].store
    attack = attacks(store.live_ids()[0])[place]
    expanded: list[int] = []

    def noting(self: Vocabulary, word: str, find: object) -> object:
        found = find(self, word)  # type: ignore[operator]
        expanded.append(len(found))
        return found

    for name in ("beginning", "similar"):
        find = getattr(Vocabulary, name)
        monkeypatch.setattr(Vocabulary, name, lambda self, word, find=find: noting(self, word, find))
    with measured() as work:
        status, size = sent(archive, attack)
    assert status in ANSWERED
    assert size <= MOST_SENT
    assert work.spent <= MAX_CLAUSES * 5 * words_held, "each part of a query reads the archive's texts once"
    assert max(expanded, default=0) <= 4 * MAX_EXPANSIONS, "a stem has few forms"


def sent(archive: Flask, attack: Attack) -> tuple[int, int]:
    with archive.test_client() as client:
        if attack.body is None:
            answer = client.get(attack.address)
        else:
            answer = client.post(attack.path, data=json.dumps(attack.body), content_type="application/json")
        return answer.status_code, len(answer.get_data())


def test_looking_through_texts_is_what_is_counted(archive: Flask, words_held: int) -> None:
    with measured() as work:
        sent(archive, Attack("phrase", "/api/search", [("q", '"people talk"')]))
    assert 0 < work.spent <= 2 * words_held


def test_the_table_is_what_the_benchmark_sends(tmp_path: Path) -> None:
    source = (Path(__file__).parent.parent / "benchmarks" / "hostile_queries.py").read_text()
    assert "attacks(ids[" in source
