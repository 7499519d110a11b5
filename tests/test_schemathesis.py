"""The API over its own description: schemathesis makes up requests, right ones and wrong ones, and judges the answers.

It reads /api/openapi.json as any program would and asks a server of ours: the documented status, type and form of each
answer, no failure of ours, wrong values refused, right ones taken, methods that are not there refused, and the token
asked for where one is needed. `BACKFILE_TEST_EXAMPLES=200` asks more of each operation than the few of every day.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import newsroom
from browsing import served

EXAMPLES = os.environ.get("BACKFILE_TEST_EXAMPLES", "3")
TOOL = Path(sys.executable).with_name("schemathesis")
CONFIG = Path(__file__).with_name("schemathesis.toml")


def test_the_api_keeps_to_its_document_whatever_is_asked(tmp_path: Path) -> None:
    with newsroom.application(tmp_path / "data") as app:
        _, secret = newsroom.services_of(app).tokens.create(name="tests", scope="takedown")
        with served(app) as address:
            ended = subprocess.run(
                [
                    TOOL, "--config-file", CONFIG, "run", f"{address}/api/openapi.json", "--checks", "all",
                    "--continue-on-failure", "--no-color", "--seed", "1", "--max-examples", EXAMPLES,
                    "--generation-database", "none", "--no-shrink", "--suppress-health-check", "all",
                    "--header", f"Authorization: Bearer {secret}",
                ],
                capture_output=True, text=True, check=False, cwd=tmp_path,
            )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2_000:]
    asked = re.search(r"(\d+) generated", ended.stdout)
    assert asked, ended.stdout
    assert int(asked[1]) > 500, "of each operation its examples, what its schema allows and what it does not"
