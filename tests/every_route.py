"""An address for every route that is there, one that answers: for tests of what holds on all of them.

A route that is new and has no values here fails these tests, so that it is not forgotten by them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from copied import report, story
from flask import Flask
from newsroom import CORRECTED, ORDINARY
from werkzeug.routing import Rule

from archive.alerts import Channel, SavedSearch
from archive.grouping import find_copies
from web.channels import answer_path
from web.doors import QUESTIONS
from web.services import Services

FLOOD = ORDINARY[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A saved search with a mail address that has not answered yet, and a webhook."""

    token: str
    saved: SavedSearch
    mail: Channel
    hook: Channel


def follow(services: Services) -> Followed:
    """Save a search with its channels, and have two articles that are copies of each other."""
    for number, hour in ((1, 1), (2, 2)):
        services.store.put(report(number, f"The flood came. {story('flood')}", hours=hour, source=f"Outlet {number}"))
    find_copies(services.store)
    services.builder.update()
    token, _ = services.alerts.save(name="Floods", question="q=flood", after_seq=0, most=10)
    saved = services.alerts.opened(token)
    assert saved is not None
    mail, _ = services.alerts.add_channel(saved.id, "mail", "reader@example.org")
    hook, _ = services.alerts.add_channel(saved.id, "webhook", "https://hook.example/alerts")
    return Followed(token=token, saved=saved, mail=mail, hook=hook)


def address_of(app: Flask, rule: Rule, services: Services, followed: Followed) -> str:
    """Return an address that leads to the view of `rule`, with what that needs to answer."""
    with app.test_request_context():
        signature = answer_path(followed.mail, "stop").rpartition("/")[2]
    values: Mapping[str, object] = {
        "article_id": report(1, "", hours=1).id if rule.endpoint == "editions.copies" else CORRECTED.id,
        "number": 1 if rule.endpoint.startswith("sitemap") else 2,
        "story_id": services.stories.page(number=1, size=1).stories[0].story.id,
        "year": 2001,
        "month": 3,
        "day": 1,
        "form": "atom",
        "filename": "backfile.css",
        "token": followed.token,
        "kind": "mail",
        "channel_id": followed.mail.id if rule.endpoint.endswith(("ask", "answered")) else followed.hook.id,
        "answer": "stop",
        "signature": signature,
    }
    built = rule.build({name: values[name] for name in rule.arguments if name not in (rule.defaults or {})})
    assert built is not None, rule
    queries = {
        "related.by_url": f"url={FLOOD.url}",
        "oembed.oembed": f"url=http://localhost/articles/{FLOOD.id}",
        "saved.new": "q=flood",
        "pages.search": "q=flood",
        "api.search": "q=flood",
        "api.suggest": "q=flo",
    }
    query = queries.get(rule.endpoint, "")
    if rule.endpoint in {"browse.profile", "browse_api.profile"}:
        kind = rule.rule.rpartition("/")[2]
        query = f"name={ {'source': FLOOD.source, 'section': FLOOD.section, 'author': 'Ada Quill'}[kind] }"
    return f"{built[1]}?{query}" if query else built[1]


def questions(app: Flask, services: Services, followed: Followed) -> Iterator[tuple[Rule, str]]:
    """Yield every route that answers to GET, with an address."""
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or set()):
            yield rule, address_of(app, rule, services, followed)


def changes(app: Flask, services: Services, followed: Followed) -> Iterator[tuple[Rule, str, str]]:
    """Yield every route that takes more than questions, with a method and an address."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - QUESTIONS):
            yield rule, method, address_of(app, rule, services, followed)
