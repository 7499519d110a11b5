"""The server as it is run: gunicorn with its configuration, over a newsroom whose embedder can be held."""

import json
import runpy
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from processes import PATIENCE, ROOT, Newsroom, server, wait_until

from web.app import MAX_BODY
from web.crew import AT_WORK, WAITING

BEYOND = 6  # more clients than may work or wait


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


def ask(address: str, path: str, **headers: str) -> Answer:
    request = Request(address + path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read().decode())


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Newsroom:
    room = Newsroom(tmp_path_factory.mktemp("room"))
    room.write("first.jsonl", range(20))
    room.ingest()
    return room


@pytest.fixture
def address(room: Newsroom) -> Iterator[str]:
    with server(room) as (address, _):
        yield address
    room.hold.unlink(missing_ok=True)


def settled(address: str, path: str) -> str:
    """Return the tag of an answer once everything the server reads in the background is read."""
    deadline = time.monotonic() + PATIENCE
    tag = ask(address, path).headers["ETag"]
    while True:
        time.sleep(0.2)
        assert time.monotonic() < deadline
        before, tag = tag, ask(address, path).headers["ETag"]
        if tag == before:
            return tag


def refused(jobs: list["Future[Answer]"], count: int) -> list[Answer]:
    """Return the answers to those refused, once there are so many."""
    deadline = time.monotonic() + PATIENCE
    while sum(job.done() for job in jobs) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return [job.result() for job in jobs if job.done()]


def test_beyond_the_queue_searches_are_refused_at_once_while_health_and_what_is_known_are_answered(
    room: Newsroom, address: str
) -> None:
    tag = settled(address, "/api/search?q=known")
    room.hold.touch()
    clients = AT_WORK + WAITING + BEYOND
    with ThreadPoolExecutor(clients) as pool:
        jobs = [pool.submit(ask, address, f"/api/search?q=report+{number}") for number in range(clients)]
        answers = refused(jobs, BEYOND)
        assert [answer.status for answer in answers] == [503] * BEYOND
        for answer in answers:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert int(answer.headers["Retry-After"]) > 0
            assert "waiting" in json.loads(answer.text)["detail"]
        page = ask(address, "/search?q=one+more")
        assert (page.status, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
        assert page.headers["Retry-After"]
        assert ask(address, "/healthz").status == 200
        assert ask(address, "/static/backfile.css").status == 200
        assert ask(address, "/api/search?q=known", If_None_Match=tag).status == 304
        assert sum(job.done() for job in jobs) == BEYOND, "all the others wait"
        room.hold.unlink()
        assert sorted(job.result(PATIENCE).status for job in jobs) == [200] * (AT_WORK + WAITING) + [503] * BEYOND
    assert ask(address, "/api/search?q=report+0").status == 200


def test_sixteen_clients_at_once_are_all_answered(address: str) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: ask(address, f"/api/search?q=report+{number % 20}"), range(160)))
    assert {answer.status for answer in answers} == {200}


def test_nobody_is_believed_who_says_by_which_way_they_came(address: str) -> None:
    forged = {"X_Forwarded_Proto": "https", "X_Forwarded_Ssl": "on", "X_Forwarded_Host": "evil.example"}
    told = ask(address, "/opensearch.xml", **forged)
    assert address in told.text
    assert "https://127.0.0.1" not in told.text
    assert "evil.example" not in told.text


def test_there_are_threads_for_all_who_may_wait_and_some_to_spare() -> None:
    configuration = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert configuration["threads"] >= AT_WORK + WAITING + 8
    assert configuration["preload_app"] is False
    assert configuration["MAX_BODY"] == MAX_BODY, "what the program would refuse is not read"


def test_the_server_is_at_work_before_its_first_visitor(room: Newsroom) -> None:
    room.log.unlink(missing_ok=True)
    with server(room) as (_, process):
        wait_until(lambda: bool(room.logged()), process)  # the warm-up embeds
        assert room.logged()


def test_either_of_two_workers_goes_on_with_a_list_that_the_other_made(room: Newsroom) -> None:
    with server(room, "--workers", "2") as (address, _):
        seen: list[str] = []
        found = json.loads(ask(address, "/api/search?q=report&page_size=1").text)
        while found["cursor"]:  # a connection each time, which either worker may take
            seen += [result["id"] for result in found["results"]]
            answer = ask(address, f"/api/search?q=report&page_size=1&cursor={found['cursor']}")
            assert answer.status == 200
            found = json.loads(answer.text)
        assert len(seen) == len(set(seen)) == 19
