"""Alerts by webhook: what is posted, and how it is signed (Standard Webhooks, https://www.standardwebhooks.com).

`webhook-id` names the message and stays the same through all attempts: a receiver that has had it drops it.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence

from flask import url_for

from archive.alerts import Delivery
from archive.article import Article
from archive.fetch import Fetcher
from web.links import outside_link
from web.payload import Json
from web.urls import absolute

MOST_ARTICLES = 100  # of one message; more are counted
GONE = 410


class WebhookProblem(Exception):
    """A receiver did not take a message. `lasting`: it wants no more; `wait`: not before so many seconds."""

    def __init__(self, reason: str, *, lasting: bool = False, wait: int = 0) -> None:
        """Keep why."""
        super().__init__(reason)
        self.lasting = lasting
        self.wait = wait


def body_of(delivery: Delivery, articles: Sequence[Article]) -> bytes:
    """Return what is posted about these articles."""
    message: Json = {
        "type": "alert.fired",
        "timestamp": delivery.created_at.isoformat().replace("+00:00", "Z"),
        "data": {
            "saved_search": {
                "name": delivery.search.name,
                "url": absolute(f"/search?{delivery.search.question}"),
            },
            "total": len(articles),
            "articles": [_article_object(article) for article in articles[:MOST_ARTICLES]],
        },
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _article_object(article: Article) -> Json:
    published = article.published_at
    return {
        "id": article.id,
        "url": absolute(url_for("pages.article", article_id=article.id)),
        "title": article.title,
        "source": article.source,
        "section": article.section,
        "authors": list(article.authors),
        "language": article.language,
        "published_at": published.isoformat().replace("+00:00", "Z") if published else None,
        "original": outside_link(article.url),
    }


def signed(secret: bytes, message: str, body: bytes, *, at: int) -> Mapping[str, str]:
    """Return the headers by which a receiver knows that this is ours, new, and whole."""
    digest = hmac.digest(secret, f"{message}.{at}.".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def post(fetcher: Fetcher, delivery: Delivery, articles: Sequence[Article]) -> None:
    """Return when the receiver has taken the message on. Raises WebhookProblem, and FetchError."""
    body = body_of(delivery, articles)
    headers = signed(delivery.channel.secret, f"msg_{delivery.message}", body, at=int(time.time()))
    answer = fetcher.post(delivery.channel.address, body, headers=headers)
    if 200 <= answer.status < 300:
        return
    raise WebhookProblem(f"the receiver answered {answer.status}", lasting=answer.status == GONE, wait=answer.wait())
