"""Stories told: what has changed in the archive since they were last told, taken in some articles at a time.

Invariants: each batch is one transaction that also says how far stories have been told, so that work that was stopped
goes on where it stopped, and what is done twice comes out the same. Stories go by the index that is served: a change
that is not in it yet is told later, and by another model everything is told anew, the numbers staying where the
articles do. Not for a process that answers requests.
"""

from collections.abc import Sequence

from archive.progress import Progress, silent
from archive.store import Store
from index.embeddings import batches
from index.engine import Engine
from index.portraits import day
from index.stories.naming import named
from index.stories.nearest import Nearest
from index.stories.neighbourhood import THRESHOLD, Neighbourhood
from index.stories.region import region, told

BATCH = 1000  # articles told at once: some ten seconds of work are at stake in a crash
WALK = 2  # articles asked for their neighbours for each that has arrived
AT_LEAST = 500  # asked, however few have arrived; with 200, many reports of one form depend on the order of arrival


def tell_stories(store: Store, engine: Engine, progress: Progress = silent, *, together: int = BATCH) -> None:
    """Tell the stories of every article that `engine` knows of, so many `together`. Reports articles taken in.

    Nothing is done without an index and its model's vectors.
    """
    telling, model = store.telling(), engine.model_sha256
    if model is None:
        return
    after = telling.seq if telling.model_sha256 == model else 0
    changes = sorted((seq, article) for article, seq in store.last_changes(after=after).items())
    changed = [(seq, article) for seq, article in changes if seq <= engine.seq]
    if changed:
        neighbourhood = _neighbourhood(store, engine, waiting={article for _, article in changes})
    elif after < engine.seq:
        store.tell({}, [], seq=engine.seq, model_sha256=model)
    done = 0
    for batch in batches(changed, together):
        done += len(batch)
        seq = batch[-1][0] if done < len(changed) else engine.seq
        _take_in(store, neighbourhood, [article for _, article in batch], seq=seq, model_sha256=model)
        progress("stories", done, len(changed))


def _neighbourhood(store: Store, engine: Engine, *, waiting: set[str]) -> Neighbourhood:
    """Return the graph of all articles, of which those that are `waiting` to be told are not found yet."""
    published = store.published()
    days = {article: at for article, published_at in published.items() if (at := day(published_at)) is not None}
    neighbourhood = Neighbourhood(store, engine, Nearest(engine, days))
    neighbourhood.admit(published.keys() - waiting)
    return neighbourhood


def _take_in(
    store: Store, neighbourhood: Neighbourhood, articles: Sequence[str], *, seq: int, model_sha256: str
) -> None:
    neighbourhood.admit(articles)
    reached, pairs = region(articles, neighbourhood, most=WALK * len(articles) + AT_LEAST)
    groups = neighbourhood.groups(reached)
    shown = {pair: likeness for pair, likeness in pairs.items() if groups.keys() >= set(pair)}
    old = store.stories_of(sorted(reached))
    stories, events = named(old, told(shown, groups, threshold=THRESHOLD), following=store.next_story())
    moved = [article for article in old.keys() | stories.keys() if old.get(article) != stories.get(article)]
    store.tell({article: stories.get(article) for article in moved}, events, seq=seq, model_sha256=model_sha256)
