"""Two web hosts, one database, one index: one archive to whoever asks, whichever is asked and whatever befalls one."""

import os
import random
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from newsroom import article
from processes import PATIENCE
from several_hosts import (
    FIRST_READER,
    Host,
    Load,
    Site,
    address,
    asking,
    inside,
    several_hosts,
    why_there_are_no_networks,
)

from archive.errors import ArchiveError
from archive.postgres_database import GIVEN_UP
from archive.tokens import FORGIVEN_AFTER, MOST_FAILURES
from index.check import check

if reason := why_there_are_no_networks():
    pytest.skip(reason, allow_module_level=True)

RATE, SECONDS = 10, 6  # BACKFILE_RATE_LIMIT, and for how many seconds a bucket holds
# Seconds, twice and more of what an idle machine takes.
SOON = 5  # until what is there is found
AWAY = 7  # the longest that a request waits for a database that is being started
SILENT = 14  # and for one that says nothing: until that is noticed, and then for another connection
LOAD = ["/api/search?q=report", "/search?q=report+3", "/api/stats", "/api/search?q=%22first+edition%22", "/"]
QUESTIONS = ["/api/search?q=report+7", "/api/search?q=paragraph&mode=semantic", "/api/search?q=report&sort=newest"]
QUESTIONS += ["/api/stats", "/api/browse", "/api/completions?q=rep", "/search.csv?q=report", "/api/stories"]
QUESTIONS += ["/search?q=report", "/", "/search.atom?q=report"]
CHANGING = re.compile(r'"took_ms":[\d.]+')
LATER = {f"503 {kind} Retry-After: 10" for kind in ("application/problem+json", "text/html; charset=utf-8")}
# `BACKFILE_TEST_HOSTS=all` takes some ten minutes.
ARTICLES, KILLS, INDEX_AWAY = (2_000, 20, 20) if os.environ.get("BACKFILE_TEST_HOSTS") == "all" else (60, 4, 3)
WRITING_READER, GUESSING_READER, GREEDY_READER = 30, 31, 32  # whose addresses nobody else has


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with several_hosts(tmp_path_factory.mktemp("hosts"), rate_limit=str(RATE), site_url="https://a.example") as site:
        ingest(site.a, range(20))
        for host in site.hosts:
            host.start()
        for host in site.hosts:
            host.wait_until_ready()
        yield site


def ingest(host: Host, numbers: range) -> None:
    host.write("news.jsonl", numbers)
    done = host.flask("ingest", str(host.folder / "news"))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("path", QUESTIONS)
def test_both_give_the_same_answer_by_the_same_tag(site: Site, path: str) -> None:
    one, other = (host.ask(path) for host in site.hosts)
    assert one.status == other.status == 200
    assert CHANGING.sub("", one.text) == CHANGING.sub("", other.text)
    if one.headers["ETag"]:
        assert site.b.ask(path, If_None_Match=one.headers["ETag"]).status == 304


def test_a_list_begun_on_one_goes_on_on_the_other(site: Site) -> None:
    first = site.a.ask("/api/search?q=report&page_size=5").json
    second = site.b.ask(first["links"]["next"].removeprefix("https://a.example"))
    assert second.status == 200
    assert len({each["id"] for page in (first, second.json) for each in page["results"]}) == 10


def test_a_client_may_ask_for_so_much_whichever_it_asks(site: Site) -> None:
    began, passed = time.monotonic(), 0
    while (answer := site.hosts[passed % 2].ask("/api/stats", reader=GREEDY_READER)).status == 200:
        passed += 1
    assert RATE * SECONDS <= passed <= RATE * (SECONDS + time.monotonic() - began) + 1
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert [host.ask("/api/stats").status for host in site.hosts] == [200, 200], "another client is another client"


def test_a_token_made_on_one_holds_on_the_other_and_what_it_takes_down_is_gone_on_both(site: Site) -> None:
    secret = site.a.flask("token", "create", "--name", "desk", "--scope", "takedown").stdout.split()[-1]
    found = site.b.ask("/api/search?q=report+19").json["results"][0]["id"]
    sent = {"method": "DELETE", "Authorization": f"Bearer {secret}"}
    gone = site.b.ask(f"/api/articles/{found}", reader=WRITING_READER, **sent)
    assert gone.status == 200, gone.text
    assert [host.ask(f"/api/articles/{found}").status for host in site.hosts] == [410, 410]


def test_who_guessed_tokens_on_one_is_locked_out_of_both(site: Site) -> None:
    with site.a.services() as services:
        for _ in range(MOST_FAILURES):
            services.tokens.note_failure(address(FIRST_READER + GUESSING_READER), "unknown")
    for host in site.hosts:
        refused = host.ask("/api/articles/0123456789abcdef", reader=GUESSING_READER, method="DELETE")
        assert refused.status == 429
        assert int(refused.headers["Retry-After"]) > FORGIVEN_AFTER / 2


def test_what_comes_in_on_one_is_shown_by_the_other_and_found_at_once(site: Site) -> None:
    ingest(site.b, range(20, 24))
    asked = "/api/search?q=%22report+22%22&mode=keyword"
    until(lambda: all(host.ask(asked).json["total"]["value"] == 1 for host in site.hosts))
    (found,) = site.a.ask(asked).json["results"]
    assert [host.ask(found["links"]["page"]).status for host in site.hosts] == [200, 200]


def test_without_the_index_both_answer_by_words_until_it_is_back_and_nobody_is_refused(site: Site) -> None:
    asked = "/api/search?q=report+3"
    with asking(site.hosts, LOAD) as load:
        site.index.kill()
        until(lambda: all(host.ask(asked).json["degraded"] for host in site.hosts))
        for host in site.hosts:
            assert host.ask(asked).json["total"]["value"] > 0
            assert host.ask("/readyz").json["status"] == "degraded"
        with inside(site.index_cable.namespace):
            site.index.start()
        until(lambda: not any(host.ask(asked).json["degraded"] for host in site.hosts))
    assert load.failures == []


def test_an_ingest_that_is_killed_again_and_again_while_all_else_fails_loses_and_doubles_nothing(site: Site) -> None:
    """A host is cut off, the database restarted, the index killed, and the ingest killed so many times meanwhile."""
    numbers = range(3_000, 3_000 + ARTICLES)
    site.b.write("killed.jsonl", numbers)
    killed, chance = 0, random.Random(7)
    with asking((site.a,), LOAD) as load, writing(site.a) as acknowledged, ThreadPoolExecutor(1) as troubles:
        trouble = troubles.submit(_trouble, site)
        while killed < KILLS or not trouble.done():
            process = in_network(site.b)
            try:
                process.wait(chance.uniform(0.5, 6.0))
            except subprocess.TimeoutExpired:
                killed += 1
            process.kill()
            process.communicate()
        trouble.result()
    only_later(load)
    process = in_network(site.b)
    _, err = process.communicate(timeout=10 * PATIENCE)
    assert process.returncode == 0, err
    with site.a.services() as services:
        live = services.store.live_ids()
        assert set(acknowledged) <= set(live)
        assert len(live) == len(set(live))
        assert {f"Report {number}" for number in numbers} <= set(services.store.titles(live).values())
        assert check(services.generations, services.store) == []
        current, _ = services.store.pointer()
        assert current is not None
        assert services.generations.manifest(current).articles == len(live)
    found = [host.ask(f"/api/search?q=%22report+{numbers[-1]}%22").json for host in site.hosts]
    assert [(each["total"]["value"] > 0, each["degraded"]) for each in found] == [(True, False)] * 2


def _trouble(site: Site) -> None:
    site.b.cable.pull()
    time.sleep(2)
    site.b.cable.plug_in()
    time.sleep(1)
    site.restart("fast")
    time.sleep(1)
    site.restart_index(seconds=INDEX_AWAY)


def in_network(host: Host) -> "subprocess.Popen[str]":
    """Start an ingest on a host."""
    with inside(host.cable.namespace):
        return host.start_ingest()


def until(happens: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not happens():
        assert time.monotonic() - began < 2 * SOON
        time.sleep(2 / RATE)  # one client may ask for so much, and two hosts are asked


def test_commands_of_both_exclude_each_other(site: Site) -> None:
    with site.a.services() as services, services.alone():
        told: list[str] = []
        other = threading.Thread(target=lambda: told.append(site.b.flask("reindex").output))
        other.start()
        other.join()
    assert "is at work on this archive: try again when it has ended" in told[0]
    assert site.b.flask("reindex").exit_code == 0


def test_when_one_host_is_cut_off_the_other_goes_on_and_it_comes_back_by_itself(site: Site) -> None:
    with asking((site.b,), LOAD) as load:
        site.a.cable.pull()
        time.sleep(1.5)
        with pytest.raises(OSError, match=r"timed out|No route"):
            site.a.ask("/healthz", patience=1)
        site.a.cable.plug_in()
        assert site.a.wait_until_ready() < 2 * SOON
    assert load.failures == []
    assert load.slowest < SOON
    assert site.a.ask("/api/search?q=report").json["degraded"] is False


def test_a_database_that_is_started_again_is_waited_for_and_nothing_is_lost(site: Site) -> None:
    with asking(site.hosts, LOAD) as load, writing(site.a) as acknowledged:
        time.sleep(0.5)
        took = site.restart("fast")
        time.sleep(1)
    only_later(load)
    # Whoever asked meanwhile has waited; on a busy machine some wait for longer than that is done.
    assert len(load.failures) <= load.answers[200] / 20 or took > GIVEN_UP
    assert load.answers[200] > 10
    assert load.slowest < AWAY
    assert len(acknowledged) > 5
    with site.b.services() as services:
        assert set(acknowledged) <= set(services.store.live_ids())
        assert services.store.check() == []


@contextmanager
def writing(host: Host) -> Iterator[list[str]]:
    """Have articles come in at a host, one after the other; give the ids of those that were acknowledged."""
    acknowledged: list[str] = []
    ended = threading.Event()

    def write() -> None:
        with host.services() as services:
            numbers = iter(range(1_000, 9_000))
            number = next(numbers)
            while not ended.wait(0.01):
                with suppress(ArchiveError):  # the same once more
                    services.store.put(article(number))
                    acknowledged.append(article(number).id)
                    number = next(numbers)

    with ThreadPoolExecutor(1) as threads:
        job = threads.submit(write)
        try:
            yield acknowledged
        finally:
            ended.set()
        job.result()


def test_a_database_that_crashes_costs_nothing_but_the_time_until_it_is_back(site: Site) -> None:
    with asking(site.hosts, LOAD) as load:
        time.sleep(0.5)
        site.restart("immediate")
        back = time.monotonic()
        time.sleep(1)
    only_later(load)
    assert load.last_failure < back + SOON
    assert load.slowest < AWAY


def only_later(load: Load) -> None:
    """Say that whoever was refused was told when to come back, and nobody got anything else."""
    assert set(load.failures) <= LATER
    assert set(load.answers) <= {200, 503}


def test_a_database_that_says_nothing_holds_up_nobody_for_long_and_is_found_when_it_is_back(site: Site) -> None:
    with asking(site.hosts, LOAD) as load:
        time.sleep(0.5)
        site.cable.pull()
        time.sleep(5)
        for host in site.hosts:
            assert host.ask("/healthz").status == 200
            told = host.ask("/readyz")
            assert (told.status, told.headers["Content-Type"]) == (503, "application/problem+json")
            assert told.headers["Retry-After"]
        site.cable.plug_in()
        back = time.monotonic()
        for host in site.hosts:
            host.wait_until_ready()
        ready = time.monotonic()
        time.sleep(1)
    only_later(load)
    assert load.answers[503] > 0
    assert load.slowest < SILENT
    assert ready - back < 2 * SOON
    assert load.last_failure < ready + SOON
