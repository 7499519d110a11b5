"""`/status` and its JSON twin, unless they are turned off."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, render_template, request
from flask_babel import lazy_gettext
from werkzeug.exceptions import NotFound

from index.coverage import UNITS, Coverage, Feed, Unit
from web import params
from web.api import written
from web.payload import Json, instant
from web.services import services
from web.status import Quality, Status, status

STATUS = "/status"
SPARK = 24  # the height of a small chart, in the drawing's own units; a period is as wide as SLOT
SLOT = 4
DISK_PARTS = {
    "archive": lazy_gettext("Disk, archive"),
    "index": lazy_gettext("Disk, indexes"),
    "models": lazy_gettext("Disk, models"),
    "evaluations": lazy_gettext("Disk, evaluations"),
}
FEEDS = 60  # on the page; the JSON has all

blueprint = Blueprint("status", __name__)


def register(app: Flask) -> None:
    """Add both to `app`, and say to every page whether there is something to lead to."""
    app.register_blueprint(blueprint)
    app.context_processor(lambda: {"status_is_public": services().settings.status == "public"})


@blueprint.get(STATUS)
def page() -> Response:
    """Show the state of the installation."""
    unit, state = _asked()
    sparks = sparks_of(state.coverage) if state.coverage else ()
    return _fresh(
        Response(
            render_template(
                "status.html",
                state=state,
                sparks=sparks,
                unit=unit,
                ranges=UNITS,
                most_feeds=FEEDS,
                disk_parts=DISK_PARTS,
            )
        )
    )


@blueprint.get("/api/status")
def as_json() -> Response:
    """Return the same as JSON."""
    _, state = _asked()
    return _fresh(written(_object(state)))


def _asked() -> tuple[Unit, Status]:
    parts = services()
    if parts.settings.status == "off":
        raise NotFound
    unit = params.unit(request.args)
    return unit, status(parts, unit=unit)


def _fresh(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


@dataclass(frozen=True, slots=True)
class Column:
    """A bar of a small chart."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Spark:
    """One source, drawn: its articles, and their share of all, each as high as its own highest."""

    feed: Feed
    counts: Sequence[Column]
    shares: Sequence[Column]
    total: int
    share: float  # of all articles of these periods
    width: int
    height: int = SPARK
    column: int = SLOT - 1


def sparks_of(found: Coverage) -> list[Spark]:
    """Return the sources of a coverage, drawn."""
    everything = max(sum(found.totals), 1)
    width = SLOT * len(found.totals)
    return [
        Spark(
            feed, _columns(feed.counts), _columns(feed.shares), sum(feed.counts), sum(feed.counts) / everything, width
        )
        for feed in found.feeds
    ]


def _columns(values: Sequence[float]) -> list[Column]:
    most = max(values) or 1
    heights = [(place, max(1.0, round(SPARK * value / most, 1))) for place, value in enumerate(values) if value]
    return [Column(place * SLOT, SPARK - height, height) for place, height in heights]


def _object(state: Status) -> Json:
    stats = state.stats
    return {
        "status": "degraded" if state.degraded else "ok",
        "degraded": state.degraded,
        "generation": state.serving,
        "current_generation": state.current,
        "previous_generation": state.previous,
        "pending_changes": state.pending,
        "articles": stats.articles,
        "removed": stats.removed,
        "versions": stats.versions,
        "passages": stats.passages,
        "embeddings": stats.embeddings,
        "copies": stats.copies,
        "sources": stats.sources,
        "stories": state.stories,
        "saved_searches": state.saved_searches,
        "followed": state.followed.active,
        "followed_failing": state.followed.failing,
        "earliest": instant(stats.earliest),
        "latest": instant(stats.latest),
        "keywords": state.keywords,
        "advice": state.advice,
        "model": state.model,
        "disk": dict(state.disk),
        "ingest": None if state.run is None else _run(state),
        "quality": None if state.quality is None else _quality(state.quality),
        "coverage": None if state.coverage is None else _coverage(state.coverage),
        "software": dict(state.versions),
    }


def _run(state: Status) -> Json | None:
    run = state.run
    return None if run is None else {
        "started_at": instant(run.started_at),
        "seconds": None if run.seconds is None else round(run.seconds, 1),
        "added": run.added,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "rejected": run.rejected,
        "reasons": [{"reason": reason, "count": count} for reason, count in state.reasons.items()],
    }  # fmt: skip


def _quality(quality: Quality) -> Json:
    return {
        "measured_at": instant(quality.at),
        "changes_since": quality.changes_since,
        "queries": quality.queries,
        "documents": quality.documents,
        "modes": {mode: dict(measures) for mode, measures in quality.modes.items()},
    }


def _coverage(found: Coverage) -> Json:
    return {
        "by": found.unit,
        "starts": [start.isoformat() for start in found.starts],
        "last": found.last.isoformat(),
        "totals": list(found.totals),
        "feeds": [_feed(feed) for feed in found.feeds],
        "absent": found.absent,
    }


def _feed(feed: Feed) -> Json:
    silence = feed.silence
    return {
        "name": feed.name,
        "counts": list(feed.counts),
        "shares": [round(share, 4) for share in feed.shares],
        "latest": feed.latest.isoformat(),
        "silence": None
        if silence is None
        else {
            "since": silence.since.isoformat(),
            "usually": round(silence.usually, 2),
            "expected": round(silence.expected, 1),
            "chance": silence.chance,
        },
    }
