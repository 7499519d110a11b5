"""Looking for copies: follow the change log, sign what is new, judge what is nominated, keep who belongs together.

Invariant: what is kept is what was found of all changes up to `Store.copies_seq`. However often it is broken off, and
wherever, it goes on from there and comes to the same groups.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from archive.copies import Pairs, are_copies, nominated, shingles, signature, unpack_signatures
from archive.progress import Progress, silent
from archive.store import Store

STAGE = "copies"  # the stage that is reported, in articles
STEP = 20_000  # changes looked at before what was found is kept: bounds the memory, and what an interruption costs
SIGNED = 500  # articles signed in one transaction
NAMED = 5  # ids named in one problem
AGAIN = "run `flask check --repair`"
JUDGED = 64  # pairs whose texts are read together: a text can have a million words


class _Groups:
    """Which articles belong together (union-find, with the paths halved)."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def root(self, article_id: str) -> str:
        """Return who stands for this article's group."""
        above = self._above
        while above.setdefault(article_id, article_id) != article_id:
            above[article_id] = article_id = above[above[article_id]]
        return article_id

    def join(self, article_ids: Sequence[str]) -> None:
        """Put these articles into one group."""
        for article_id in article_ids[1:]:
            self._above[self.root(article_id)] = self.root(article_ids[0])

    def lists(self) -> list[list[str]]:
        """Return the groups of two or more."""
        groups: dict[str, list[str]] = {}
        for article_id in list(self._above):
            groups.setdefault(self.root(article_id), []).append(article_id)
        return [sorted(group) for group in groups.values() if len(group) > 1]


def find_copies(store: Store, *, progress: Progress = silent) -> None:
    """Bring what is known of copies up to the last change. `progress` hears of the stage "copies" in articles."""
    done = 0
    while (after := store.copies_seq()) < (last := store.last_seq()):
        until = min(after + STEP, last)
        changed = list(dict.fromkeys(change.article_id for change in store.changes(after=after, until=until)))
        for signed in _sign(store, changed):
            progress(STAGE, done + signed, done + len(changed) + last - until)
        done += len(changed)
        _judge(store, changed, after=after, until=until)
        progress(STAGE, done, done + last - until)


def _sign(store: Store, article_ids: Sequence[str]) -> Iterator[int]:
    """Give the articles the signatures they lack; yield how many have been looked at."""
    for start in range(0, len(article_ids), SIGNED):
        batch = article_ids[start : start + SIGNED]
        rows = [(version_id, signature(body)) for version_id, body in store.unsigned(batch)]
        if rows:
            store.put_signatures(rows)
        yield start + len(batch)


def _judge(store: Store, changed: Sequence[str], *, after: int, until: int) -> None:
    """Find the copies of what changed, and of what it belonged to, anew."""
    _, known = store.copy_groups()
    broken = {known[article_id] for article_id in changed if article_id in known}
    judged = {*changed, *(article_id for article_id, group in known.items() if group in broken)}
    ids, packed = store.signatures()
    pairs = nominated(unpack_signatures(packed), np.array([article_id in judged for article_id in ids], np.bool_))
    groups = _Groups()
    for one, other in _copies(store, ids, pairs, groups):
        groups.join([one, other])
    standing: dict[int, list[str]] = {}  # groups that nothing has left: who joins one member joins all
    for article_id, group in known.items():
        if group not in broken:
            standing.setdefault(group, []).append(article_id)
    found = {article_id for group in groups.lists() for article_id in group}
    for members in standing.values():
        if not found.isdisjoint(members):
            groups.join(members)
    store.put_copies(groups.lists(), judged=sorted(judged), after=after, until=until)


def _copies(store: Store, ids: Sequence[str], pairs: Pairs, groups: _Groups) -> Iterator[tuple[str, str]]:
    """Yield those of the nominated pairs that are copies, but for what `groups` has in one already."""
    for start in range(0, len(pairs), JUDGED):
        named = [(ids[one], ids[other]) for one, other in pairs[start : start + JUDGED].tolist()]
        open_ = [pair for pair in named if groups.root(pair[0]) != groups.root(pair[1])]
        cut = {article_id: shingles(body) for article_id, body in store.bodies(_each_once(open_))}
        for one, other in open_:
            if (
                groups.root(one) != groups.root(other)
                and one in cut
                and other in cut
                and are_copies(cut[one], cut[other])
            ):
                yield one, other


def _each_once(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(article_id for pair in pairs for article_id in pair))


def problems_of_copies(store: Store) -> list[str]:
    """Return what is wrong with the signatures and the groups, one line each, of what has been looked for by now."""
    wrong = [article_id for article_id, body, kept in store.signed() if signature(body) != kept]
    problems = [f"copies: {_some(wrong)} have another signature than their texts: {AGAIN}"] if wrong else []
    strays = list(_strays(store))
    if strays:
        problems.append(f"copies: {_some(strays)} are kept as copies and are like no other of their group: {AGAIN}")
    return problems


def _strays(store: Store) -> Iterator[str]:
    """Yield the shown articles that are like none of their group, as far as nothing has changed since."""
    until, known = store.copy_groups()
    changed = {change.article_id for change in store.changes(after=until, until=store.last_seq())}
    groups: dict[int, list[str]] = {}
    for article_id, group in known.items():
        groups.setdefault(group, []).append(article_id)
    for members in groups.values():
        if changed.isdisjoint(members):
            cut = {article_id: shingles(body) for article_id, body in store.bodies(members)}
            if len(cut) == len(members):  # else what they had in common may have been withdrawn
                yield from (one for one in cut if not any(are_copies(cut[one], cut[two]) for two in cut if two != one))


def _some(article_ids: Sequence[str]) -> str:
    named = ", ".join(sorted(article_ids)[:NAMED])
    return f"{len(article_ids)} articles ({named}{', …' if len(article_ids) > NAMED else ''})"
