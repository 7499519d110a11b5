"""Ask a server many questions over kept-alive connections, in a process of its own.

    python -m benchmarks.load http://127.0.0.1:8000/api/search?q= queries.txt --clients 16

Each line of the file is asked once, by whichever client is free. Standard output is one JSON object: `seconds` (one a
question), `took` (the milliseconds the answer itself says its search took, where it says so), `errors`, `elapsed` and
`bytes`.

Invariant: a client asks its next question as soon as it has its answer, so there are always as many at work as asked.
"""

import argparse
import http.client
import json
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

TIMEOUT = 120.0  # seconds until a question counts as an error


@dataclass(slots=True)
class Told:
    """What was measured."""

    seconds: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    elapsed: float = 0.0
    bytes: int = 0


class Load:
    """Questions for one server, shared by its clients."""

    def __init__(self, prefix: str, queries: list[str]) -> None:
        """Ask `prefix` with each query appended."""
        parts = urlsplit(prefix)
        self._host = parts.netloc
        self._prefix = prefix[len(f"{parts.scheme}://{parts.netloc}") :]
        self._left = iter(queries)
        self._lock = threading.Lock()
        self.told = Told()

    def run(self, clients: int) -> Told:
        """Ask everything with so many clients, and say how that went."""
        threads = [threading.Thread(target=self._client) for _ in range(clients)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.told.elapsed = time.perf_counter() - started
        return self.told

    def _client(self) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT)
        while (query := self._next()) is not None:
            started = time.perf_counter()
            try:
                connection.request("GET", self._prefix + quote_plus(query))
                answer = connection.getresponse()
                content = answer.read()
                problem = None if answer.status == http.HTTPStatus.OK else f"{answer.status} {query}"
            except OSError as error:
                content, problem = b"", f"{error!r} {query}"
                connection.close()
            self._note(time.perf_counter() - started, content, problem)
        connection.close()

    def _next(self) -> str | None:
        with self._lock:
            return next(self._left, None)

    def _note(self, seconds: float, content: bytes, problem: str | None) -> None:
        body = None if problem else json.loads(content)
        with self._lock:
            if problem:
                self.told.errors.append(problem)
                return
            self.told.seconds.append(seconds)
            self.told.bytes += len(content)
            if isinstance(body, dict) and "took_ms" in body:
                self.told.took.append(body["took_ms"])


def main() -> None:
    """Read the command line, ask, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prefix")
    parser.add_argument("queries", type=Path)
    parser.add_argument("--clients", type=int, default=1)
    asked = parser.parse_args()
    queries = asked.queries.read_text(encoding="utf-8").splitlines()
    print(json.dumps(asdict(Load(asked.prefix, queries).run(asked.clients))))


if __name__ == "__main__":
    main()
