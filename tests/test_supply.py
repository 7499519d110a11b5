"""What is installed is what was looked at: every file by its hash, every licence known, and all of it listed."""

import importlib.metadata
import json
import re
import runpy
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
FROM_PYTHON = {"setuptools"}  # in each environment that Python 3.11 makes; pip-tools keeps it out of lock files
BILL = runpy.run_path(str(ROOT / "deploy" / "bill.py"))


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [re.match(r"([\w.-]+)==([\w.+-]+)", line) for line in lines]
    return {canonicalize_name(pin[1]): pin[2] for pin in found if pin}


def lock() -> dict[str, list[str]]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.findall(r"^([\w.-]+)==\S+((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", text, re.MULTILINE)
    return {canonicalize_name(name): re.findall(r"[0-9a-f]{64}", hashes) for name, hashes in blocks}


def test_the_lock_has_every_version_that_is_pinned_and_no_other() -> None:
    assert pins("requirements.lock") == pins("requirements.txt")
    assert len(pins("requirements.lock")) > 80


def test_every_line_of_the_lock_is_a_pin_a_hash_or_a_comment_and_every_pin_has_hashes() -> None:
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[\w.-]+==[\w.]+ \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?|#.*|", line), line
    assert set(lock()) == set(pins("requirements.txt"))


@pytest.mark.parametrize("extra", ["milvus", "ray"])
def test_the_lock_of_an_extra_adds_what_is_pinned_for_it_with_hashes_and_pins_nothing_twice(extra: str) -> None:
    listed, locked = f"requirements-{extra}.txt", f"requirements-{extra}.lock"
    text = (ROOT / locked).read_text(encoding="utf-8")
    blocks = re.findall(r"^([\w.-]+)==\S+(?: \\\n    --hash=sha256:[0-9a-f]{64})+$", text, re.MULTILINE)
    assert pins(locked) == pins(listed)
    assert {canonicalize_name(name) for name in blocks} == set(pins(listed))
    assert not set(pins(listed)) & set(pins("requirements.txt"))
    others = pins("requirements-dev.txt")
    assert all(others.get(name, version) == version for name, version in pins(listed).items())


@pytest.mark.parametrize("name", ["apsw", "numpy", "faiss-cpu", "tantivy", "lxml", "tokenizers", "openvino", "torch"])
def test_what_is_compiled_has_a_hash_for_each_processor_and_version_of_python(name: str) -> None:
    assert len(lock()[name]) >= 4


def test_everything_that_is_needed_is_in_the_lock() -> None:
    """So that it can be installed without a look at what packages ask for."""
    pinned = pins("requirements.txt")
    for name in pinned:
        for asked in map(Requirement, importlib.metadata.requires(name) or []):
            if asked.marker is None or asked.marker.evaluate({"extra": ""}):
                needed = canonicalize_name(asked.name)
                if needed in FROM_PYTHON:
                    continue
                assert needed in pinned, f"{name} needs {needed}"
                assert asked.specifier.contains(pinned[needed], prereleases=True), f"{name} needs {asked}"


def test_what_is_installed_here_is_what_is_pinned() -> None:
    installed = {name: importlib.metadata.version(name).partition("+")[0] for name in pins("requirements.txt")}
    assert installed == pins("requirements.txt")


def test_one_distribution_of_the_lock_provides_whoosh() -> None:
    assert [name for name in pins("requirements.lock") if "whoosh" in name] == ["whoosh"]
    assert importlib.metadata.packages_distributions()["whoosh"] == ["Whoosh"]


def test_set_up_takes_no_file_that_is_not_listed() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split(".venv/installed: requirements.txt requirements.lock\n")[1].split("\n\n")[0]
    assert "\nLOCKED := $(PIP) --require-hashes --no-deps -r requirements.lock\n" in makefile
    first, second = [line for line in recipe.splitlines() if "$(LOCKED)" in line or "$(PIP)" in line]
    assert first.strip().startswith("$(LOCKED) -c deploy/torch-cpu.txt || ")
    assert second.strip() == "$(PIP) -r requirements.txt", "what a CUDA build of torch needs besides"


def test_the_constraint_on_torch_is_of_the_version_that_is_pinned() -> None:
    (line,) = [line for line in (ROOT / "deploy" / "torch-cpu.txt").read_text().splitlines() if line[0] != "#"]
    assert line.startswith(f"torch=={pins('requirements.txt')['torch']}+cpu ;")


# Licences and the bill of materials


def test_the_page_of_licences_and_the_bill_are_of_what_is_required_now() -> None:
    parts = BILL["parts"]()
    assert (ROOT / "docs" / "licences.md").read_text(encoding="utf-8") == BILL["page"](parts), "run `make bill`"
    assert (ROOT / "docs" / "sbom.cdx.json").read_text(encoding="utf-8") == BILL["bill"](parts), "run `make bill`"


def test_the_bill_names_each_package_once_with_version_licence_and_hashes() -> None:
    made = json.loads((ROOT / "docs" / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    packages = {each["purl"]: each for each in made["components"] if each["purl"].startswith("pkg:pypi/")}
    assert set(packages) == {f"pkg:pypi/{name}@{version}" for name, version in pins("requirements.txt").items()}
    assert all(each["licenses"][0]["expression"] for each in packages.values())
    references = [each["bom-ref"] for each in made["components"]]
    assert made["dependencies"][0]["dependsOn"] == references
    assert len(references) == len(set(references)) > len(packages)


@pytest.mark.parametrize(
    ("name", "licence", "is_allowed"),
    [
        ("x", "MIT", True),
        ("x", "Apache-2.0 WITH LLVM-exception", True),
        ("x", "BSD-3-Clause AND MIT", True),
        ("x", "GPL-3.0-only", False),
        ("x", "MIT AND GPL-2.0-only", False),
        ("x", "AGPL-3.0-or-later OR MIT", True),
        ("x", "MPL-2.0", False),
        ("certifi", "MPL-2.0", True),
        ("tld", "MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later", True),
        ("tld", "GPL-2.0-only", False),
        ("x", "Commercial", False),
        ("x", "", False),
    ],
)
def test_a_licence_that_nobody_has_looked_at_does_not_come_in(name: str, licence: str, is_allowed: bool) -> None:
    assert BILL["_is_allowed"](BILL["Part"](name, "1", licence, "", (), True)) == is_allowed
