"""The settings: `BACKFILE_*` environment variables, read once, typed, and passed down.

Invariant: nothing below `web/` reads the environment.
"""

import re
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import click
from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from web.addresses import mail_address

PREFIX = "BACKFILE_"
# Settings that hold a password: never written out.
SECRET = {"BACKFILE_ARCHIVE", "BACKFILE_MILVUS", "BACKFILE_MILVUS_TOKEN", "BACKFILE_SMTP_URL"}
MAX_PAGE_SIZE = 100  # DESIGN.md: page_size 1-100
SMTP_SCHEMES = ("smtps", "smtp+starttls", "smtp")


class SettingsError(click.ClickException):
    """A setting has a value that cannot be used. Under `flask` this is one line and exit status 2."""

    exit_code = 2


def _site_url(url: str) -> str:
    parts = urlsplit(url)
    try:
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        is_web = False
    if not is_web or parts.username or url.rstrip("/") != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("it must be an address such as https://archive.example.org, without a path")
    return url.rstrip("/")


def _smtp_url(url: str) -> str:
    parts = urlsplit(url)
    try:
        is_server = parts.scheme in SMTP_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_server = False
    if not is_server or parts.path.strip("/") or parts.query:
        raise ValueError(f"it must be {', '.join(SMTP_SCHEMES)} and ://user:password@host:port")
    if parts.scheme == "smtp" and parts.username:
        raise ValueError("a password is sent over smtps or smtp+starttls only")
    return url


def database_url(given: str) -> str:
    """Return the address of a PostgreSQL database. Raises ValueError for anything else."""
    parts = urlsplit(given)
    try:
        is_address = parts.port != 0 and not re.search(r"[@/]", parts.path.strip("/")) and bool(parts.path.strip("/"))
    except ValueError:  # a port that is no number, such as what follows a slash in a password
        is_address = False
    if not is_address or parts.scheme not in {"postgresql", "postgres"} or "password" in parts.query:
        raise ValueError(
            "it must be postgresql://user@host/name, with what is special in a password percent-encoded, and no"
            " password behind a question mark"
        )
    return given


def _milvus_url(url: str) -> str:
    parts = urlsplit(url)
    try:
        is_server = parts.scheme in {"http", "https"} and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        is_server = False
    if not is_server or parts.username or parts.path.strip("/") or parts.query:
        raise ValueError("it must be http://host:19530, or https; a password goes into BACKFILE_MILVUS_TOKEN")
    return url.rstrip("/")


def _mail_from(given: str) -> str:
    try:
        mail_address(parseaddr(given)[1])
        is_address = given.isprintable()
    except ValueError:
        is_address = False
    if not is_address:
        raise ValueError("it must be an address such as Backfile <alerts@example.org>")
    return given


def _networks(given: str) -> str:
    for network in filter(None, given.replace(" ", "").split(",")):
        ip_network(network)  # a ValueError that names what is wrong
    return given


def host_names(given: str) -> list[str]:
    """Return the names of hosts in a setting, in small letters."""
    return [name for name in given.lower().replace(" ", "").split(",") if name]


def _hosts(given: str) -> str:
    for name in host_names(given):
        if not re.fullmatch(r"[a-z0-9_.-]+|\[[0-9a-f:.]+\]", name):
            raise ValueError("it must be names such as archive.example.org,www.example.org, without ports")
    return given


def _user_agent(given: str) -> str:
    if not re.fullmatch(r"[A-Za-z][\x20-\x7e]{0,199}", given):
        raise ValueError("it must be a name such as HarbourNews/1.0 (+https://news.example.org; desk@example.org)")
    return given


class Settings(BaseSettings):
    """How this installation runs. Each field is read from `BACKFILE_` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", protected_namespaces=()
    )

    data: Annotated[Path, Field(description="The folder that holds the archive and its indexes.")] = Path("data")
    archive: Annotated[
        str | None,
        AfterValidator(lambda url: url and database_url(url)),
        Field(
            repr=False,
            description="The PostgreSQL database that keeps the articles. Unset, a file of the data folder does.",
        ),
    ] = None
    model: Annotated[
        str | None,
        Field(
            min_length=1,
            description="The embedding model of a new archive: `bundled` (all-MiniLM-L6-v2), a local folder, or a hub"
            " name; `flask reindex` changes to it.",
        ),
    ] = None
    embedder: Annotated[
        Literal["auto", "openvino", "torch"],
        Field(description="What runs the model: `auto` takes OpenVINO where it is installed and torch elsewhere."),
    ] = "auto"
    keywords: Annotated[
        Literal["auto", "whoosh", "tantivy"],
        Field(description="The library behind the keyword index: `auto` chooses by the size of the archive."),
    ] = "auto"
    milvus: Annotated[
        str | None,
        AfterValidator(lambda url: url and _milvus_url(url)),
        Field(description="The Milvus server that keeps the index for several machines. Unset, the data folder does."),
    ] = None
    milvus_token: Annotated[
        str | None,
        Field(repr=False, description="Who asks Milvus, `user:password`, where it wants to know that."),
    ] = None
    fusion: Annotated[
        Literal["sum", "rrf"],
        Field(
            description="How the legs are merged: by a weighted `sum` of scores, or by `rrf`, reciprocal rank fusion."
        ),
    ] = "sum"
    recency: Annotated[
        float,
        Field(ge=0, le=1, description="What the newest article gains beside an old one that matches as well, 0 to 1."),
    ] = 0.0
    page_size: Annotated[
        int, Field(ge=1, le=MAX_PAGE_SIZE, description="Results on a page when the request does not say.")
    ] = 10
    export_limit: Annotated[
        int, Field(ge=1, le=10_000_000, description="The most articles of a list that one export holds.")
    ] = 10_000
    quarantine_mb: Annotated[
        int,
        Field(ge=0, le=1_000_000, description="Megabytes of rejected inputs that are kept to be tried again; 0: none."),
    ] = 200
    status: Annotated[
        Literal["public", "off"],
        Field(description="Whether anybody may see /status, the state of the installation: `public`, or `off`."),
    ] = "public"
    metrics: Annotated[
        Literal["local", "public", "off"],
        Field(description="Who may read /metrics: programs of this machine alone (`local`), `public`, or `off`."),
    ] = "local"
    log: Annotated[
        Literal["auto", "json", "text"],
        Field(description="How events are logged: a JSON object a line, or text; `auto`: text on a terminal alone."),
    ] = "auto"
    drain: Annotated[
        int,
        Field(ge=0, le=600, description="Seconds for which a server that is to stop still answers, but not /readyz."),
    ] = 0
    language: Annotated[
        Literal["auto", "en", "de", "ar"],
        Field(
            description="The language of the pages: `auto`, as each reader's browser asks, or always `en`, `de`, `ar`."
        ),
    ] = "auto"
    site_name: Annotated[
        str, Field(min_length=1, max_length=60, description="The name in the masthead and in page titles.")
    ] = "Backfile"
    site_url: Annotated[
        str | None,
        AfterValidator(lambda url: url and _site_url(url)),
        Field(description="The address that readers use; feeds, sitemaps and mail name it. Else the request's own."),
    ] = None
    hosts: Annotated[
        str | None,
        AfterValidator(lambda given: given and _hosts(given)),
        Field(description="Names that the site answers under, beside that of its address, with commas; unset, any."),
    ] = None
    proxy_hops: Annotated[
        int, Field(ge=0, le=9, description="Proxies of one's own before the server; their word is taken on who asks.")
    ] = 0
    rate_limit: Annotated[
        int,
        Field(ge=0, le=100_000, description="Searches and pages a second that one client may ask for; 0: no limit."),
    ] = 10
    robots: Annotated[
        Literal["none", "allow"],
        Field(description="Whether search engines may index the articles: not at all, or `allow`, with a sitemap."),
    ] = "none"
    saved_searches: Annotated[
        int, Field(ge=0, description="Searches that readers may save in this archive, in all; 0: none, and no alerts.")
    ] = 10_000
    query_log: Annotated[
        Literal["off", "on"],
        Field(
            description="Whether the archive notes which searches are asked, to try other models on: `off`, or `on`."
        ),
    ] = "off"
    smtp_url: Annotated[
        str | None,
        AfterValidator(lambda url: url and _smtp_url(url)),
        Field(repr=False, description="The mail server that sends alerts. Unset, none are sent by mail."),
    ] = None
    mail_from: Annotated[
        str | None, AfterValidator(lambda given: given and _mail_from(given)), Field(description="Who mail comes from.")
    ] = None
    ledger: Annotated[
        Path | None,
        Field(
            description="The file that remembers takedowns; else `takedowns.jsonl` in the data folder, which a restored"
            " copy of that folder takes back."
        ),
    ] = None
    fetch_allow: Annotated[
        str | None,
        AfterValidator(lambda given: given and _networks(given)),
        Field(description="Private networks that may be asked, such as `10.0.0.0/8`, separated by commas."),
    ] = None
    user_agent: Annotated[
        str,
        AfterValidator(lambda given: _user_agent(given)),
        Field(description="Who asks other sites: a name, and best an address at which whoever runs this is reached."),
    ] = "Backfile/0.1 (news archive)"


def load_settings() -> Settings:
    """Read the settings from the environment. Raises SettingsError, in one line, naming each bad value."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(detail) for detail in error.errors())) from None


def _explain(detail: ErrorDetails) -> str:
    name = PREFIX + str(detail["loc"][0] if detail["loc"] else "").upper()
    said = detail["msg"].removeprefix("Value error, ")
    said = said[:1].lower() + said[1:]
    if name in SECRET:
        return f"{name} cannot be used: {said}"
    return f"{name}={detail['input']!r} cannot be used: {said}"
