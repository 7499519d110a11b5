"""A newsletter as it was mailed (RFC 5322): its subject, who sent it and when, and the text of it.

The page in it is preferred where it says anything, since mail programs write the plain text beside it carelessly. It is
read whole, unlike a page of the web: it is several stories in one, and has no menus around them.
"""

import re
from collections.abc import Iterator
from email import policy
from email.errors import MessageError
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import parseaddr
from typing import Any, BinaryIO

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.readers.charset import decoded
from archive.readers.dates import stated_date
from archive.readers.fields import article_from, is_web_address
from archive.readers.lines import read_whole
from archive.readers.markup import plain_text
from archive.readers.texts.newsletter import news_of

MAX_MAIL_BYTES = 20_000_000  # 20 MB: pictures and all
_NAME = re.compile(r"^([A-Za-z][A-Za-z0-9-]*):", re.MULTILINE)
_TRANSPORT = {"message-id", "mime-version", "received", "return-path", "delivered-to", "content-type"}
_LANGUAGE = re.compile(r"<html\b[^<>]*\slang\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_COMMENT = re.compile(r"\s*\([^()]*\)\s*$")


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file begins with the header of a message: a sender, and what only mail has."""
    header = re.split(r"\r?\n\r?\n", start, maxsplit=1)[0]
    if not _NAME.match(header):
        return False
    names = {name.lower() for name in _NAME.findall(header)}
    return "from" in names and bool(names & {"date", "subject"}) and not names.isdisjoint(_TRANSPORT)


def read(stream: BinaryIO, origin: str) -> Iterator[Article | Rejection]:
    """Yield the one article in `stream`, or why there is none."""
    try:
        raw = read_whole(stream, cap=MAX_MAIL_BYTES)
        message = BytesParser(EmailMessage, policy=policy.default).parsebytes(raw)
        yield article_from(_fields(message))
    except SourceError as error:
        yield Rejection(source=origin, reason=str(error))
    except (MessageError, LookupError, ValueError, AttributeError, RecursionError) as error:  # of messages as they come
        reason = f"the message cannot be taken apart ({type(error).__name__}: {error})"[:300]
        yield Rejection(source=origin, reason=reason)


def _fields(message: EmailMessage) -> dict[str, object]:
    name, address = parseaddr(_header(message, "From"))
    sent = stated_date(_COMMENT.sub("", _header(message, "Date")))
    subject = _header(message, "Subject")
    page = _text(message, "html")
    news = news_of(plain_text(page), title=subject) or news_of(_text(message, "plain"), title=subject)
    if not news:
        raise SourceError("no text found in the message")
    language = _LANGUAGE.search(page)
    return {
        "title": subject,
        "body": news,
        "source": name or address,
        "id": _header(message, "Message-ID").strip("<> \t"),
        "url": _address(message),
        "language": language[1] if language else _header(message, "Content-Language"),
        "published_at": sent.isoformat() if sent else None,
    }


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _address(message: EmailMessage) -> str | None:
    """Return where the message can be read on the web (RFC 5064), if it says so."""
    address = _header(message, "Archived-At").strip("<> ")
    return address if is_web_address(address) else None


def _text(message: EmailMessage, kind: str) -> str:
    """Return the text of the message in this kind, "html" or "plain"; empty where there is none."""
    part = message.get_body((kind,))
    return "" if part is None else decoded(_content(part), charset=part.get_content_charset())


def _content(part: MIMEPart) -> bytes:
    content: Any = part.get_payload(decode=True)  # what is no container is bytes
    return bytes(content)
