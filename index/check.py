"""Whether archive and index are whole, each by its hashes, and agree with each other."""

from contextlib import suppress

from archive.errors import ArchiveDamaged
from archive.grouping import problems_of_copies
from archive.store import PublishedGeneration, Store
from index.errors import EngineAway, GenerationDamaged
from index.generations import Generations

NAMED = 5  # ids named in one problem


def check(generations: Generations, store: Store) -> list[str]:
    """Return what is wrong, one line each, with what to run about it; empty when nothing is."""
    problems = store.check()
    with suppress(ArchiveDamaged):  # which has been told
        problems += problems_of_copies(store)
    current, previous = store.pointer()
    if current is None:
        return problems + (["index: there is none yet: run `flask reindex`"] if store.last_seq() else [])
    problems += _check_generation(generations, store, current, is_served=True)
    if previous is not None:
        problems += _check_generation(generations, store, previous, is_served=False)
    return problems


def _check_generation(
    generations: Generations, store: Store, published: PublishedGeneration, *, is_served: bool
) -> list[str]:
    try:
        engine = generations.open(published)
        by_words, by_meaning = engine.article_ids()
    except (GenerationDamaged, EngineAway) as error:
        return [f"index: {error}"]
    engine.close()
    if not is_served:
        return []
    problems = []
    expected = set(store.live_ids())
    # What changed since, or while the index was built, is the next update's business.
    changed = {change.article_id for change in store.changes(after=published.seq, until=store.last_seq())}
    if torn := (by_words ^ by_meaning) - changed:
        problems.append(f"index: keywords and vectors differ in {_some(torn)}: run `flask reindex`")
    if wrong := (expected ^ by_words) - changed:
        problems.append(f"index: archive and index differ in {_some(wrong)}: run `flask reindex`")
    return problems


def _some(ids: frozenset[str] | set[str]) -> str:
    named = ", ".join(sorted(ids)[:NAMED])
    return f"{len(ids)} articles ({named}{', …' if len(ids) > NAMED else ''})"
