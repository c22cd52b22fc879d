# GNU make 3.81 or newer. `make` alone lists what there is.

STORE ?= folder
DATABASE ?= sqlite
PYTEST_ARGS ?=
WORKERS ?= auto
COVER := --cov --cov-branch --cov-report=

# An empty environment has no PATH, without which Python does not find itself.
export PATH := $(or $(PATH),/usr/local/bin:/usr/bin:/bin)

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# A file at a time to each worker, in the order of tests/conftest.py: the long ones first.
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
UV_COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml

# The lock files name every package, so pip looks for none: an older one would take the newest of what a package asks
# for with an extra (pytest-cov: coverage[toml]), which is not the one that is pinned.
LOCKED := $(PIP) install --quiet --require-hashes --no-deps

# What the editable install needs to build the project, beside the runtime; pinned in requirements-dev.lock.
BACKEND := hatchling|editables|packaging|pathspec|pluggy|tomlkit|trove-classifiers

.PHONY: help venv demo serve worker test test-quick test-slow coverage coverage-bars lint types imports audit bench catalogs client pictures lock clean

help:
	@echo "make demo       start Sealmark with a sample report (STORE=minio DATABASE=postgresql: on the real parts)"
	@echo "make test       run all tests (PYTEST_ARGS=…)"
	@echo "make test-quick run them without the slow and the long ones"
	@echo "make test-slow  run the slow ones"
	@echo "make coverage   run them under coverage, without the slow ones, and hold branches to their bars"
	@echo "make lint       ruff: rules and format"
	@echo "make types      mypy"
	@echo "make imports    the rules which room may import which"
	@echo "make audit      known vulnerabilities of the locked packages"
	@echo "make catalogs   bring the languages' catalogues up to date with the English sentences"
	@echo "make client     write the client's operations out of the API's OpenAPI document"
	@echo "make bench      measure against rivals; writes build/bench.json"
	@echo "make pictures   make the pictures of docs/watermark.md; its chart from the last bench"
	@echo "make serve      run the service for real (settings from the environment)"
	@echo "make worker     run the worker beside it"
	@echo "make venv       only make .venv, with all that development needs"
	@echo "make lock       pin the dependencies of pyproject.toml anew (needs uv)"
	@echo "make clean      remove .venv, build and caches"

venv: .venv/.development

# The stamps. Each is written last, so that a step that was broken off is done again.

.venv/.made:
	@for python in "$$PYTHON" python3 python3.11 python3.12 python3.13 python3.14; do \
		if [ -n "$$python" ] && "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			found=$$python; break; \
		fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Python 3.11 or newer is missing. Install it (apt install python3 python3-venv, or" >&2; \
		echo "brew install python), or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "This Python cannot make environments. Install the missing part: apt install python3-venv" >&2; exit 1; \
	fi; \
	echo "Making .venv with $$("$$found" --version)"; \
	"$$(command -v "$$found")" -m venv .venv
	@touch $@

.venv/.runtime: requirements.lock requirements-dev.lock pyproject.toml .venv/.made
	@echo "Installing what the service needs from requirements.lock"
	@awk '/^[A-Za-z]/ { wanted = /^($(BACKEND))==/ } wanted' requirements-dev.lock > .venv/backend.lock
	@$(LOCKED) -r requirements.lock
	@$(LOCKED) -r .venv/backend.lock
	@$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

.venv/.development: .venv/.runtime
	@echo "Installing what development needs from requirements-dev.lock"
	@$(LOCKED) -r requirements-dev.lock
	@touch $@

demo: .venv/.runtime
	@echo "Starting the demo (store: $(STORE), database: $(DATABASE)); Ctrl-C ends it"
	@$(BIN)/sealmark demo --store $(STORE) --database $(DATABASE)

serve: .venv/.runtime
	@echo "Serving with the settings of the environment; Ctrl-C ends it"
	@$(BIN)/sealmark serve

worker: .venv/.runtime
	@echo "Running the worker with the settings of the environment; Ctrl-C ends it"
	@$(BIN)/sealmark worker

test: .venv/.development
	@echo "Running all tests: some forty minutes on two cores"
	@$(PYTEST) $(PYTEST_ARGS)

test-quick: .venv/.development
	@echo "Running the tests without the slow and the long ones"
	@$(PYTEST) -m "not slow and not long" $(PYTEST_ARGS)

test-slow: .venv/.development
	@echo "Running the slow tests"
	@$(PYTEST) -m slow $(PYTEST_ARGS)

coverage: .venv/.development
	@echo "Running the tests that are not slow, under coverage"
	@$(BIN)/coverage erase
	@$(PYTEST) -m "not slow" $(COVER) $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory coverage-bars

coverage-bars: .venv/.development
	@echo "Holding the coverage that the last run left to its bars"
	@mkdir -p build
	@$(BIN)/coverage report --skip-covered
	@$(BIN)/coverage json --quiet -o build/coverage.json
	@$(BIN)/python .ci/bars.py build/coverage.json

lint: .venv/.development
	@echo "Checking rules and format"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/.development
	@echo "Checking types"
	@$(BIN)/mypy

imports: .venv/.development
	@echo "Checking which room imports which"
	@$(BIN)/lint-imports

audit: .venv/.development
	@echo "Asking for known vulnerabilities of the locked packages"
	@.ci/audit

catalogs: .venv/.development
	@echo "Bringing the catalogues of languages up to date with the sentences"
	@$(BIN)/python .ci/catalogs.py

bench: .venv/.development
	@echo "Measuring; the table is written to build/bench.json too"
	@$(BIN)/python -m bench

client: .venv/.development
	@echo "Writing sealmark/operations.py out of the OpenAPI document"
	@$(BIN)/python .ci/client.py

pictures: .venv/.development
	@echo "Making the pictures of docs/watermark.md"
	@$(BIN)/python -m docs.pictures

lock:
	@command -v uv > /dev/null || { echo "uv is missing: see docs.astral.sh/uv for how to install it" >&2; exit 1; }
	@echo "Pinning the dependencies of pyproject.toml in both lock files"
	@$(UV_COMPILE) -o requirements.lock
	@$(UV_COMPILE) --group dev -c requirements.lock -o requirements-dev.lock

clean:
	@echo "Removing .venv, build and caches; .data stays"
	@rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
