"""Writes requirements.lock: every pinned version of requirements.txt with the hashes of all its files.

And a lock for each extra: requirements-milvus.lock, what requirements-milvus.txt adds to that, and the same for Ray.
`make lock` runs it with pip-tools in an environment of its own; it takes some minutes. Which build of torch an index
offers differs: some have a CPU build ("2.13.0+cpu"), others a CUDA build of the same version. All of them are listed,
by the version that both have, so that whichever is at hand is checked.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
EXTRAS = ("milvus", "ray")
HEAD = """\
# Every version that requirements.txt pins, with the SHA-256 of each file of it. Made by `make lock`; `make setup`
# installs from it and takes no file that is not listed. docs/operations.md says how by hand.
"""
EXTRA_HEAD = """\
# Every version that requirements-{}.txt pins, with the SHA-256 of each file of it. Made by `make lock`; it is
# installed from after requirements.lock.
"""
OPTIONS = ("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
           "--no-emit-trusted-host", "--strip-extras", "--quiet")  # fmt: skip


def compiled(*requirements: str) -> str:
    """Return what pip-tools makes of these files, with all that they ask for."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "lock.txt"
        command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, "-o", str(out), *requirements]
        subprocess.run(command, cwd=ROOT, check=True)
        return out.read_text()


def without(text: str, others: str) -> str:
    """Return the lock `text` without the pins that `others` has."""
    blocks = re.findall(r"^[\w.-]+==\S+(?: \\\n    --hash=\S+)+\n", text, re.MULTILINE)
    named = {pin.lower() for pin in re.findall(r"^([\w.-]+)==", others, re.MULTILINE)}
    return "".join(block for block in blocks if block.partition("==")[0].lower() not in named)


def with_every_torch(text: str) -> str:
    """Return the lock with the hashes of all builds of torch for Linux, whichever was found here."""
    found = re.search(r"^torch==([\d.]+)(?:\+\w+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", text, re.MULTILINE)
    if found is None:
        raise SystemExit("torch is not in the lock")
    hashes = {*re.findall(r"[0-9a-f]{64}", found[2]), *offered("torch", found[1])}
    lines = "".join(f" \\\n    --hash=sha256:{each}" for each in sorted(hashes))
    return text[: found.start()] + f"torch=={found[1]}{lines}" + text[found.end() :]


def offered(name: str, version: str) -> set[str]:
    """Return the SHA-256 of the files for Linux that the configured indexes offer of this version, of any build."""
    from pip._internal.req.constructors import install_req_from_line
    from piptools.repositories import PyPIRepository

    repository = PyPIRepository([], cache_dir=tempfile.gettempdir())
    asked = install_req_from_line(name).name or name
    with repository.allow_all_wheels():
        links = [each.link for each in repository.find_all_candidates(asked) if each.version.public == version]
    return {link.hash for link in links if link.hash and link.hash_name == "sha256" and "linux" in link.filename}


if __name__ == "__main__":
    made = with_every_torch(Path(sys.argv[1]).read_text() if len(sys.argv) > 1 else compiled("requirements.txt"))
    locks = [(LOCK, HEAD, made)]
    for extra in EXTRAS:
        added = without(compiled(f"requirements-{extra}.txt", "--constraint", "requirements.txt"), made)
        locks.append((ROOT / f"requirements-{extra}.lock", EXTRA_HEAD.format(extra), added))
    for file, head, text in locks:
        file.write_text(head + text)
        print(f"{file.name}: {len(re.findall('^[^# ].*==', text, re.MULTILINE))} packages")
