"""Which of the stories told before a cluster goes on with: numbers that stay while articles come, and what happened.

Invariants: a number goes on with one cluster at most, and a cluster has one number. A cluster of one article is no
story. Every story that begins, and every one that is no more, has an event that says how. Pure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from archive.story import Event

Shares = Sequence[Counter[int]]  # of each cluster: how many articles it has of each old story


def named(
    old: Mapping[str, int], clusters: Sequence[Sequence[str]], *, following: int
) -> tuple[dict[str, int], list[Event]]:
    """Return the story of each article that is in one, and what happened to the stories.

    `old` has the stories that articles were in, whole ones only; new ones are numbered from `following`. A cluster goes
    on with the old story that it shares most articles with, of equals the older one; where two would go on with the
    same, that which shares more of it does, and the other with what it shares next most.
    """
    stories = [cluster for cluster in clusters if len(cluster) > 1]
    shares = [Counter(old[article] for article in cluster if article in old) for cluster in stories]
    numbers = _continued(shares)
    begun = [place for place in range(len(stories)) if place not in numbers]
    numbers |= {place: following + count for count, place in enumerate(begun)}
    sizes = {numbers[place]: len(cluster) for place, cluster in enumerate(stories)}
    events = [_begun(numbers[place], shares[place], sizes) for place in begun]
    gone = sorted(set(old.values()) - sizes.keys())
    events += [
        _gone(story, {numbers[place]: share[story] for place, share in enumerate(shares)}, sizes) for story in gone
    ]
    return {article: numbers[place] for place, cluster in enumerate(stories) for article in cluster}, events


def _continued(shares: Shares) -> dict[int, int]:
    """Return the old story that each cluster goes on with, by the cluster's place."""
    claims = sorted((-count, story, place) for place, share in enumerate(shares) for story, count in share.items())
    numbers: dict[int, int] = {}
    taken: set[int] = set()
    for _, story, place in claims:
        if place not in numbers and story not in taken:
            numbers[place] = story
            taken.add(story)
    return numbers


def _begun(story: int, share: Counter[int], sizes: Mapping[int, int]) -> Event:
    if not share:
        return Event(story, "founded", None, sizes[story])
    other = min(share, key=lambda old: (-share[old], old))
    return Event(story, "split", other, sizes[story])


def _gone(story: int, taken: Mapping[int, int], sizes: Mapping[int, int]) -> Event:
    """Say what became of a story, of which each story now has `taken` so many articles."""
    into = min(taken, key=lambda now: (-taken[now], now), default=None)
    if into is None or not taken[into]:
        return Event(story, "ended", None, 0)
    return Event(story, "merged", into, sizes[into])
