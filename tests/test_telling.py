"""Stories follow the archive: what arrives, is corrected or withdrawn, and work that was stopped."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from newsroom import MeaningEmbedder, OtherEmbedder

from archive.article import Article
from archive.story import Event, Telling
from index.embedder import Embedder
from index.fallback import StoreEngine
from index.stories.telling import tell_stories
from web.services import Services
from web.settings import Settings

EVENTS = {
    "flood": "The Tarn broke its banks at Millbrook and families waited on the roof of the school for boats",
    "ballot": "Councillor Oduya won the Ostwick ballot by nine votes after the returning officer counted twice",
    "comet": "A green comet with two tails crossed the bay while astronomers aimed every telescope they owned",
}
ASIDES = (
    "A reporter saw it.",
    "More is to follow.",
    "Pictures are inside.",
    "Nobody was asked.",
    "It went on all day.",
)


def report(event: str, number: int, **changes: object) -> Article:
    """Return a report of one of the events, published on a day of its own."""
    fields: dict[str, object] = {
        "id": f"{event}{number}".ljust(16, "0"),
        "title": f"{EVENTS[event][:40]} {number}",
        "body": f"{EVENTS[event]}. {ASIDES[number % len(ASIDES)]}",
        "source": f"Outlet {number}",
        "published_at": datetime(2024, 5, 1, tzinfo=UTC) + timedelta(days=number),
    }
    return Article(**{**fields, **changes})  # type: ignore[arg-type]


REPORTS = [report(event, number) for number in range(4) for event in EVENTS]


class Newsroom:
    """An archive whose index and stories follow whatever comes in."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self.services = Services(Settings(data=folder), embedder=embedder)
        self.store = self.services.store

    def take(self, articles: Sequence[Article]) -> None:
        """Put these in, publish an index, tell stories."""
        for article in articles:
            self.store.put(article)
        self.publish()
        self.tell()

    def publish(self) -> None:
        self.services.builder.update()
        self.services.serving.catch_up()

    def tell(self, *, together: int = 1000, until: int = 1000) -> None:
        """Tell stories, so many articles together; the machine stops after `until` of them."""

        def progress(stage: str, done: int, total: int | None) -> None:
            assert stage == "stories"
            assert total is not None
            if done >= until:
                raise KeyboardInterrupt

        with self.services.serving.engine() as (engine, _):
            tell_stories(self.store, engine, progress, together=together)

    def stories(self) -> list[list[str]]:
        """Return the ids in each story, whatever its number."""
        of = self.store.stories_of([each.id for each in REPORTS])
        return sorted(sorted(id_ for id_ in of if of[id_] == story) for story in set(of.values()))


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    newsroom = Newsroom(tmp_path, MeaningEmbedder())
    yield newsroom
    newsroom.services.close()


ALL = sorted(sorted(each.id for each in REPORTS if each.id.startswith(event)) for event in EVENTS)


@pytest.mark.parametrize("together", [1, 5, 12])
@pytest.mark.parametrize("step", [1, -1, 5])
def test_reports_of_one_event_are_one_story_however_they_arrive(newsroom: Newsroom, together: int, step: int) -> None:
    order = [REPORTS[(place * step) % len(REPORTS)] for place in range(len(REPORTS))]
    for start in range(0, len(order), together):
        newsroom.take(order[start : start + together])
    assert newsroom.stories() == ALL


def test_an_article_alone_is_in_no_story_until_another_report_comes(newsroom: Newsroom) -> None:
    newsroom.take([report("flood", 0), report("comet", 0)])
    assert newsroom.stories() == []
    newsroom.take([report("flood", 1)])
    assert newsroom.stories() == [[report("flood", number).id for number in range(2)]]
    assert [event for event, _ in newsroom.store.story_events(1)] == [Event(1, "founded", None, 2)]


def test_telling_again_does_nothing(newsroom: Newsroom) -> None:
    newsroom.take(REPORTS)
    before = newsroom.store.telling()
    newsroom.tell()
    assert newsroom.store.telling() == before == Telling(12, MeaningEmbedder.sha256, 1)


def test_numbers_stay_while_a_story_grows(newsroom: Newsroom) -> None:
    newsroom.take(REPORTS[:6])
    before = newsroom.store.stories_of([each.id for each in REPORTS])
    newsroom.take(REPORTS[6:])
    after = newsroom.store.stories_of([each.id for each in REPORTS])
    assert before.items() <= after.items()
    assert len(set(after.values())) == len(set(before.values())) == 3


def test_work_that_was_stopped_goes_on_where_it_stopped(newsroom: Newsroom) -> None:
    for each in REPORTS:
        newsroom.store.put(each)
    newsroom.publish()
    with pytest.raises(KeyboardInterrupt):
        newsroom.tell(together=5, until=5)
    assert newsroom.store.telling().seq == 5
    newsroom.tell(together=5)
    assert newsroom.stories() == ALL
    assert newsroom.store.telling() == Telling(12, MeaningEmbedder.sha256, 3)


def test_what_is_withdrawn_leaves_its_story_and_one_that_is_left_alone_ends_it(newsroom: Newsroom) -> None:
    newsroom.take(REPORTS[:6])
    number = newsroom.store.stories_of([report("comet", 0).id])[report("comet", 0).id]
    newsroom.store.remove(report("comet", 0).id)
    assert number not in [story.id for story in newsroom.store.stories()]  # at once
    newsroom.publish()
    newsroom.tell()
    assert len(newsroom.stories()) == 2
    assert newsroom.store.story_events(number)[-1][0] == Event(number, "ended", None, 0)


def test_a_corrected_article_is_judged_anew(newsroom: Newsroom) -> None:
    newsroom.take(REPORTS)
    moved = report("comet", 9, id=report("flood", 0).id)
    newsroom.take([moved])
    ballots, comets, floods = ALL
    assert newsroom.stories() == [ballots, [*comets, moved.id], floods[1:]]


def test_two_stories_that_turn_out_to_be_one_are_merged_and_the_older_stays(newsroom: Newsroom) -> None:
    newsroom.take([report("flood", 0), report("flood", 1), report("comet", 2), report("comet", 3)])
    assert len(newsroom.stories()) == 2
    newsroom.take([report("flood", number, id=report("comet", number).id) for number in (2, 3)])
    assert newsroom.store.stories()[0].articles == 4
    old = {event.story for event, _ in (newsroom.store.story_events(1)[-1], newsroom.store.story_events(2)[-1])}
    assert old == {1, 2}
    assert newsroom.store.story_events(2)[-1][0] == Event(2, "merged", 1, 4)


def test_by_another_model_everything_is_told_anew_and_numbers_stay(tmp_path: Path, newsroom: Newsroom) -> None:
    newsroom.take(REPORTS)
    before = newsroom.store.stories_of([each.id for each in REPORTS])
    newsroom.services.close()
    other = Newsroom(tmp_path, OtherEmbedder())
    other.publish()
    other.tell()
    assert other.store.telling().model_sha256 == OtherEmbedder.sha256
    assert other.store.stories_of([each.id for each in REPORTS]) == before
    other.services.close()


def test_a_change_that_the_index_lacks_is_told_once_it_has_it(newsroom: Newsroom) -> None:
    newsroom.take(REPORTS[:6])
    for each in REPORTS[6:]:
        newsroom.store.put(each)
    newsroom.tell()
    assert newsroom.store.telling().seq == 6
    assert sorted(map(len, newsroom.stories())) == [2, 2, 2]
    newsroom.publish()
    newsroom.tell()
    assert newsroom.stories() == ALL


def test_without_an_index_there_are_no_stories(newsroom: Newsroom) -> None:
    newsroom.store.put(REPORTS[0])
    tell_stories(newsroom.store, StoreEngine(newsroom.store))
    assert newsroom.store.telling() == Telling(0, None, 0)
