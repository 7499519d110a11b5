# make serve   set up, ingest the sample articles, serve http://127.0.0.1:8000 (PORT=8080 for another port)
# make test    set up, then lint, types and tests
# make setup-ray   set up, then what `flask reindex --ray` needs besides, 620 MB
# make flips   set up, then flip 300 bits in each kind of file: some minutes
# make faults  set up, then fail at hundreds of points and be killed 200 times: what `make test` samples; most of an hour
# make bench   set up, then every benchmark beside the peers: see docs/benchmarks.md
# make translations   set up, then bring the catalogues of messages up to date
# make lock    the hashes of every file that may be installed, after requirements.txt has changed; takes minutes
# make bill    what it is made of, and under which licences: docs/licences.md, docs/sbom.cdx.json
# make audit   asks on the network for known vulnerabilities; fails where it cannot ask about every package
# make screenshots   set up, then take the pictures of docs/screenshots
# Everything is done once: what is already there is not done again.

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
export BACKFILE_DATA ?= data

.PHONY: help setup setup-dev setup-ray port serve test faults lint types format evaluate flips bench lock bill audit screenshots translations clean

help:
	@sed -n '/^$$/q; s/^# //p' Makefile

setup: .venv/installed

# Every file by its hash; torch's CPU build where it is offered, else its CUDA build, and the libraries that needs.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
LOCKED := $(PIP) --require-hashes --no-deps -r requirements.lock
.venv/installed: requirements.txt requirements.lock
	@echo "installing what it runs on, about 2 GB: this takes some minutes"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(LOCKED) -c deploy/torch-cpu.txt || { echo "once more, with any build of torch that is locked"; $(LOCKED); }
	$(PIP) -r requirements.txt
	touch $@

setup-dev: .venv/installed-dev

.venv/installed-dev: .venv/installed requirements-dev.txt tests/requirements-milvus3.txt
	$(PIP) -r requirements-dev.txt
	test -x .venv/milvus3/bin/python || $(PYTHON) -m venv .venv/milvus3
	.venv/milvus3/bin/pip install --quiet --disable-pip-version-check -r tests/requirements-milvus3.txt
	touch $@

setup-ray: .venv/installed-ray

.venv/installed-ray: .venv/installed requirements-ray.lock
	$(PIP) --require-hashes --no-deps -r requirements-ray.lock
	touch $@

# The port is looked at first: minutes of setting up lie between.
port:
	@$(PYTHON) -c "import socket; socket.create_server(('127.0.0.1', $(PORT)))" 2> /dev/null \
		|| { echo "port $(PORT) is taken or cannot be used: try make serve PORT=8080" >&2; exit 1; }

serve: port setup
	$(BIN)/flask ingest seeds
	$(BIN)/gunicorn --bind 127.0.0.1:$(PORT) wsgi:app

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/mypy

# A process for each processor, each file in one of them. Threads that wait for others leave the processor to them.
test: lint types
	OMP_WAIT_POLICY=passive $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --durations=25

# -rP: each test says how often it failed what, and what it found.
faults: setup-dev
	BACKFILE_TEST_FAULTS=full OMP_WAIT_POLICY=passive $(BIN)/pytest tests/faults -n auto --dist load -rP

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

flips: setup-dev
	BACKFILE_TEST_FLIPS=300 $(BIN)/pytest tests/test_flips.py tests/test_backup.py

evaluate: setup
	$(BIN)/flask evaluate seeds

bench: setup
	$(MAKE) --no-print-directory -f benchmarks/Makefile bench $(if $(DATA),,DATA=$(BACKFILE_DATA))

TOOLS := .venv-tools
$(TOOLS)/installed: deploy/requirements-tools.txt
	test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check -r deploy/requirements-tools.txt
	touch $@

lock: $(TOOLS)/installed
	$(TOOLS)/bin/python deploy/lock.py

bill: setup
	$(BIN)/python deploy/bill.py

# --strict: a package that could not be asked about fails it, as a vulnerable one does.
audit: $(TOOLS)/installed
	$(TOOLS)/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

screenshots: setup-dev
	$(BIN)/python docs/screenshots/make.py

# A message that is new or changed is left empty in each messages.po, for its translator: see docs/translating.md.
CATALOGUES := web/translations
translations: setup
	$(BIN)/pybabel -q extract -F pyproject.toml -k lazy_gettext --add-location=file -o $(CATALOGUES)/messages.pot .
	$(BIN)/pybabel -q update -i $(CATALOGUES)/messages.pot -d $(CATALOGUES) --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel -q compile -d $(CATALOGUES)
	rm $(CATALOGUES)/messages.pot

clean:
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
