"""The layers: imports run one way, one library has one file, and what is heavy stays out until it is needed."""

import ast
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import newsroom
import pytest

from index.embedder import Embedder
from web.services import Services
from web.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("archive", "index", "web", "wsgi")
BELOW = {"archive": (), "index": ("archive",), "web": ("index", "archive"), "wsgi": ("web",)}
HOMES = {  # library: where it may be imported
    "apsw": ("archive/sqlite_database.py", "archive/sqlite.py", "archive/repairing.py"),
    "faiss": ("index/vectors/codes.py",),
    "feedparser": ("archive/readers/feeds/feed.py",),
    "charset_normalizer": ("archive/readers/charset.py",),
    "flask": ("web/", "wsgi.py"),
    "ir_measures": ("index/evaluation/measures.py",),
    "click": ("web/",),
    "grpc": ("index/milvus/server.py",),
    "gunicorn": (),  # its configuration stands beside the program
    "jsonschema": ("archive/readers/agencies/published.py",),
    "openvino": ("index/openvino_model.py", "index/openvino_conversion.py", "index/openvino_weights.py"),
    "sentence_transformers": ("index/torch_embedder.py",),
    "smtplib": ("web/mail.py",),
    "pyarrow": ("index/ray_embedding.py",),
    "ray": ("index/ray_embedding.py",),
    "socket": ("archive/fetch.py", "index/ray_embedding.py"),  # whoever asks something on the network asks there
    "sqlite3": (),  # the archive's SQLite comes with apsw
    "psycopg": ("archive/postgres_database.py", "archive/postgres_connection.py", "archive/postgres_counting.py"),
    "psycopg_pool": ("archive/postgres_database.py", "archive/postgres_counting.py"),
    "pymilvus": ("index/milvus/server.py",),
    "py3langid": ("archive/language.py",),
    "Stemmer": ("index/analysis.py", "index/inflection.py"),
    "prometheus_client": ("web/metrics.py", "web/metrics_page.py"),
    "tantivy": ("index/keywords/tantivy_index.py",),
    "tokenizers": ("index/tokens.py",),
    "torch": ("index/torch_embedder.py", "index/openvino_conversion.py"),
    "trafilatura": ("archive/readers/pages/html.py",),
    "transformers": ("index/torch_embedder.py",),
    "werkzeug": ("web/",),
    "whoosh": ("index/keywords/whoosh_index.py",),
}
HEAVY = {"faiss", "feedparser", "grpc", "jsonschema", "openvino", "py3langid", "pymilvus", "ray",
         "sentence_transformers", "tantivy", "torch", "transformers", "trafilatura", "whoosh"}  # fmt: skip
NOT_FOR_ANSWERS = {"feedparser", "ir_measures", "jsonschema", "lxml", "pandas", "py3langid", "scipy",
                   "sentence_transformers", "sklearn", "torch",
                   "tqdm", "trafilatura", "transformers"}  # fmt: skip
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv"}
DEFENSIVE = {"HF_HUB_DISABLE_TELEMETRY", "HF_HUB_OFFLINE", "TOKENIZERS_PARALLELISM"}  # only where nobody has set them


def sources() -> list[Path]:
    files = [*(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")), ROOT / "wsgi.py"]
    assert len(files) > 50
    return files


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield every module that is imported anywhere in the file, by whatever spelling."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield str(node.module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__"):
            yield str(ast.literal_eval(node.args[0]))


def imported_at_work(tree: ast.AST) -> set[str]:
    """Return what the file imports, at its top or later, but not for annotations alone; names in modules as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {*imported(tree), *(f"{node.module}.{alias.name}" for node in froms for alias in node.names)}


@cache
def imports() -> list[tuple[str, str]]:
    """Return each (file, module it imports)."""
    return [(name_of(file), module) for file in sources() for module in imported(ast.parse(file.read_bytes()))]


def test_imports_run_downwards_only() -> None:
    wrong = [
        (file, module)
        for file, module in imports()
        for own in [file.split("/")[0].removesuffix(".py")]
        for top in [module.split(".")[0]]
        if top in PACKAGES and top != own and top not in BELOW[own]
    ]
    assert wrong == []


def in_a_circle(uses: dict[str, set[str]]) -> list[str]:
    """Return those that import each other, by whatever way, and whoever imports those."""
    while free := {name for name, used in uses.items() if not used & set(uses)}:
        uses = {name: used for name, used in uses.items() if name not in free}
    return sorted(uses)


def uses_within(package: str) -> dict[str, set[str]]:
    """Return for each module of `package`, and the package itself, those modules of it that it imports."""
    folder = ROOT / package.replace(".", "/")
    files = {name_of(file).removesuffix(".py").removesuffix("/__init__"): file for file in folder.rglob("*.py")}
    names = {path.replace("/", "."): file for path, file in files.items()}
    return {name: imported_at_work(ast.parse(file.read_bytes())) & set(names) for name, file in names.items()}


@pytest.mark.parametrize("package", ["archive.readers", "web"])
def test_no_file_imports_one_that_imports_it_in_turn(package: str) -> None:
    uses = uses_within(package)
    assert in_a_circle({name: used - {"web"} for name, used in uses.items()}) == []  # `from web import urls` needs urls


def test_no_room_of_the_readers_imports_one_that_imports_it_in_turn() -> None:
    def room(name: str) -> str:
        return ".".join(name.split(".")[:3])

    uses: dict[str, set[str]] = {}
    for name, used in uses_within("archive.readers").items():
        uses.setdefault(room(name), set()).update({room(other) for other in used} - {room(name)})
    assert in_a_circle(uses) == []


def test_nothing_of_the_program_imports_its_tests_or_benchmarks() -> None:
    others = {file.stem for folder in ("tests", "benchmarks") for file in (ROOT / folder).glob("*.py")}
    assert [(file, module) for file, module in imports() if module in others | {"tests", "benchmarks"}] == []


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_where_it_belongs_and_nowhere_else(library: str) -> None:
    homes = HOMES[library]
    users = {file for file, module in imports() if module.split(".")[0] == library}
    assert {file for file in users if not file.startswith(homes or "-")} == set()
    assert bool(users) == bool(homes)


def test_nothing_below_the_front_end_reads_the_environment() -> None:
    read = []
    for file in sources():
        if name_of(file).startswith("web/"):
            continue
        for node in ast.walk(ast.parse(file.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            names += [node.attr] if isinstance(node, ast.Attribute) else []
            read += [(name_of(file), name) for name in names if name in ENVIRONMENT]
    assert read == [("index/embedder.py", "environ")] * len(read)


def test_the_embedder_only_sets_what_nobody_has_set() -> None:
    tree = ast.parse((ROOT / "index" / "embedder.py").read_bytes())
    uses = sum(isinstance(node, ast.Attribute) and node.attr == "environ" for node in ast.walk(tree))
    set_by_default = [
        ast.literal_eval(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.environ.setdefault"
    ]
    assert uses == len(set_by_default)
    assert set(set_by_default) <= DEFENSIVE


def loaded_by(script: str) -> set[str]:
    """Return the libraries a fresh process has loaded when the script ends."""
    told = f"import sys\n{script}\nprint('\\n'.join(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in ended.stdout.splitlines()}


FLASK = """
import contextlib, io
from flask.cli import main
sys.argv = ["flask", *{arguments}]
with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
    main()
assert {words!r} in shown.getvalue(), shown.getvalue()
"""


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import wsgi", ""),
        (["--help"], "evaluate"),
        (["ingest", "--help"], "Examples"),
    ],
)
def test_what_needs_no_model_and_no_index_loads_none(script: str | list[str], words: str) -> None:
    run = script if isinstance(script, str) else FLASK.format(arguments=script, words=words)
    loaded = loaded_by(run)
    assert "web" in loaded
    assert loaded & HEAVY == set()


SERVE = """
from pathlib import Path
from web import create_app
from web.services import Services
from web.settings import Settings
services = Services(Settings(data=Path({data!r})))
services.warm_up()
client = create_app(services=services).test_client()
for path in ("/", "/search?q=flood", "/api/search?q=flood&explain=1", "/api/suggest?q=flo", "/healthz"):
    answer = client.get(path)
    assert answer.status_code == 200, path
assert not client.get("/api/search?q=flood").get_json()["degraded"]
services.close()
"""


def test_a_process_that_only_answers_loads_nothing_that_only_others_need(
    tmp_path: Path, real_embedder: Embedder, model_cache: Path
) -> None:
    (tmp_path / "models").symlink_to(model_cache)
    services = Services(Settings(data=tmp_path), embedder=real_embedder)
    services.store.put(newsroom.article(1))
    services.builder.update()
    services.close()
    loaded = loaded_by(SERVE.format(data=str(tmp_path)))
    assert "openvino" in loaded
    assert loaded & NOT_FOR_ANSWERS == set()


@pytest.mark.parametrize(("given", "used"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "2"}, "2")])
def test_numpy_multiplies_in_one_thread_unless_told_otherwise(given: dict[str, str], used: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    script = "import os, web; print(os.environ['OPENBLAS_NUM_THREADS'])"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment | given, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [used]


def test_the_front_end_settles_the_threads_before_numpy_is_there() -> None:
    body = ast.parse((ROOT / "web" / "__init__.py").read_bytes()).body
    settled = [place for place, node in enumerate(body) if "environ.setdefault" in ast.unparse(node)]
    first = next(place for place, node in enumerate(body) if isinstance(node, ast.ImportFrom))
    assert settled
    assert max(settled) < first


def test_one_distribution_provides_whoosh() -> None:
    """Three on the package index install the same folder; two of them together are a mixture of both."""
    assert importlib.metadata.packages_distributions()["whoosh"] == ["Whoosh"]
    assert importlib.metadata.version("Whoosh") == "2.7.4"
