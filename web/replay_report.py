"""What a change of the model would change, told: in lines and as an object."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from web import payload
from web.services import Services

if TYPE_CHECKING:
    from index.evaluation.replay import Group, Pair, Replay

MOST_CHANGED = 5  # questions that are told in lines
MOST_NAMED = 3  # articles of each that appear, and that vanish
WIDTH = 60  # characters of a question or a headline
KINDS = {
    "recent": "recent searches",
    "saved": "saved searches",
    "judged": "judged queries",
    "sample": "words of its own",
}
UNTITLED = "(withdrawn)"


def report_lines(parts: Services, replay: "Replay") -> Iterator[str]:
    """Yield the report, line by line."""
    yield f"{'':18}{'queries':>8}{'unchanged':>11}  {'overlap@10':<26}nDCG@10"
    for group in replay.groups:
        low, high = group.interval
        overlap = f"{group.overlap:.3f} ({low:.3f} to {high:.3f})"
        yield f"{KINDS[group.kind]:18}{group.questions:>8}{group.same:>11}  {overlap:<26}{_judged(group)}".rstrip()
    before, after = replay.took_ms
    yield f"a search takes {after:.1f} ms, it took {before:.1f} (medians)"
    yield f"{len(replay.lost)} find nothing good any more, {len(replay.gained)} do now"
    yield from (f"note: {note}" for note in replay.notes)
    changed = [pair for pair in replay.pairs if pair.overlap < 1][:MOST_CHANGED]
    titles = _titles(parts, changed)
    for pair in changed:
        yield f"\n{_short(pair.question.name)} ({KINDS[pair.question.kind]}): overlap {pair.overlap:.2f}"
        for sign, ids, places in (("+", pair.appeared, pair.after.ids), ("-", pair.vanished, pair.before.ids)):
            for article_id in ids[:MOST_NAMED]:
                place = list(places).index(article_id) + 1
                yield f"  {sign} {place:>2}  {_short(titles.get(article_id, UNTITLED))}"
            if len(ids) > MOST_NAMED:
                yield f"  {sign}     and {len(ids) - MOST_NAMED} more"


def report_object(replay: "Replay") -> payload.Json:
    """Return the report as `--json` writes it; of each question whose answer changed what appears and vanishes."""
    changed = [pair for pair in replay.pairs if list(pair.before.ids) != list(pair.after.ids)]
    return {
        "groups": [asdict(group) for group in replay.groups],
        "took_ms": {"before": round(replay.took_ms[0], 1), "after": round(replay.took_ms[1], 1)},
        "lost": [pair.question.name for pair in replay.lost],
        "gained": [pair.question.name for pair in replay.gained],
        "notes": list(replay.notes),
        "changed": [
            {
                "kind": pair.question.kind,
                "query": pair.question.name,
                "overlap": round(pair.overlap, 4),
                "appeared": pair.appeared,
                "vanished": pair.vanished,
            }
            for pair in changed
        ],
    }


def _judged(group: "Group") -> str:
    if group.contrast is None or group.before is None or group.after is None:
        return ""
    low, high = group.contrast.interval
    change = f"{group.contrast.difference:+.3f} ({low:+.3f} to {high:+.3f})"
    return f"{group.before:.3f} to {group.after:.3f}: {change}, p {group.contrast.p:.3f}"


def _titles(parts: Services, pairs: "Sequence[Pair]") -> dict[str, str]:
    wanted = sorted({each for pair in pairs for each in (*pair.appeared[:MOST_NAMED], *pair.vanished[:MOST_NAMED])})
    return {listing_id: article.title for listing_id, article in parts.store.live(wanted).items()}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
