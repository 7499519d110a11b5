"""What a results page costs beyond its search: templates, links, facets, compression.

    python -m benchmarks.pages DATA

DATA is a data folder with a published index. The application is asked in this process, without a socket, by queries
drawn from the archive: each once, when its list has to be found, and once more, when the list is kept. The search is
done by other threads (`web/crew.py`), so the processor time of the thread that asks is what the page costs beyond it.
"""

import argparse
import gzip
import time
from pathlib import Path
from urllib.parse import quote_plus

from flask.testing import FlaskClient

from benchmarks.measure import Check, Table, median, percentile, report
from benchmarks.serving import Questions
from web import create_app
from web.services import Services
from web.settings import Settings

ASKED = 200  # queries
WARM_UP = 20
MOST = 5.0  # milliseconds
COLUMNS = ("page", "whole, median", "beyond its search, median", "p95", "kB sent", "kB of HTML")


def main() -> None:
    """Read the command line, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data.resolve()
    services = Services(Settings(data=data))
    services.warm_up()
    client = create_app(services=services).test_client()
    questions = Questions(data, WARM_UP + ASKED)
    for query in questions.next(WARM_UP):
        asked(client, query)
    first, again = [], []
    for query in questions.next(ASKED):
        first.append(asked(client, query))
        again.append(asked(client, query))
    services.close()
    tell({"for the first time": first, "again, its list kept": again}, articles=questions.articles)


def asked(client: FlaskClient, query: str) -> tuple[float, float, int, int]:
    """Return the milliseconds of a page and of the processor beyond its search, and its bytes: sent, and as read."""
    started, worked = time.perf_counter(), time.thread_time()
    answer = client.get(f"/search?q={quote_plus(query)}", headers={"Accept-Encoding": "gzip"})
    worked, whole = time.thread_time() - worked, time.perf_counter() - started
    return 1000 * whole, 1000 * worked, len(answer.data), len(gzip.decompress(answer.data))


def tell(pages: dict[str, list[tuple[float, float, int, int]]], *, articles: int) -> None:
    """Report."""
    rows, checks = [], []
    for name, measured in pages.items():
        whole, beyond, sent, read = zip(*measured, strict=True)
        kb = (median(sent) / 1024, median(read) / 1024)
        rows.append((name, median(whole), median(beyond), percentile(beyond, 0.95), *kb))
        told = f"{median(beyond):.2f} ms"
        checks.append(Check(f"a page beyond its search, {name}", f"at most {MOST:g} ms", told, median(beyond) <= MOST))
    report(
        "pages",
        title=f"Results pages of {articles:,} articles",
        checks=checks,
        tables=[Table("Milliseconds of the server", COLUMNS, rows)],
        notes=[f"{ASKED} different queries, asked in one process; the client of the tests is part of the figures."],
    )


if __name__ == "__main__":
    main()
