.DEFAULT_GOAL := help
.PHONY: help setup setup-tests run test fuzz check drill fmt lock play screenshots clean

PYTHON ?= python3
BIN    := .venv/bin
# -qq: a package index that lacks a package is not worth a warning when another has it.
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq install
# --no-deps: the lists are whole, and leave out on purpose what pyproject.toml excludes.
HASHED := --require-hashes --no-deps --only-binary :all:
LOCK   := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --only-binary :all: \
          --no-emit-index-url --no-header --no-annotate -q
LOCKED := requirements.txt requirements-build.txt requirements-dev.txt assets/package.json assets/package-lock.json

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: .venv/.installed .venv/.site .venv/.finding ## all that `run` needs
setup-tests: setup .venv/.dev .venv/.browser ## all that `test` and `check` need

run: setup ## the site, the browser chat and the form (and Telegram if a token is set)
	$(BIN)/waymark run

test: setup-tests ## every test, or some: make test ARGS="-k words"
	$(BIN)/python -m pytest -n auto $(ARGS)

fuzz: setup-tests ## a long look for requests that break it: make fuzz TIMES=50
	WAYMARK_FUZZ=$(or $(TIMES),20) $(BIN)/python -m pytest -n auto tests/test_fuzz.py $(ARGS)

check: setup-tests ## what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/waymark check-content
	@! grep -nE '://|index-url|find-links|trusted-host|"resolved"' $(LOCKED)
	$(BIN)/python -m pytest -n auto $(ARGS)

drill: setup-tests ## lose everything and get it back from a backup; says how long it took
	$(BIN)/python -m pytest -n0 tests/test_drill.py

fmt: .venv/.dev ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

play: setup ## talk to a flow in the terminal: make play FLOW=raise-a-concern
	$(BIN)/waymark play $(FLOW)

screenshots: setup-tests ## pictures of the pages
	$(BIN)/python -m tests.screenshots

lock: .venv/.dev ## pin again from pyproject.toml and assets/package.json
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) pyproject.toml --all-extras --group dev -c requirements.txt -o requirements-dev.txt
	$(LOCK) --group build -c requirements-dev.txt -o requirements-build.txt
	$(BIN)/python assets/build.py lock
	@! grep -nE '://|index-url|find-links|trusted-host|"resolved"' $(LOCKED)

clean: ## forget everything installed or built
	rm -rf .venv assets/node_modules web/static/vendor bot/finding/worked-out.npz

# Each file below says that its step is done, so nothing is fetched twice.

.venv/.made:
	@command -v $(PYTHON) >/dev/null || { \
		echo "Waymark needs Python 3.11 or newer, and '$(PYTHON)' was not found." \
		"Install it, or name another: make PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Waymark needs Python 3.11 or newer, and '$(PYTHON)' is older." \
		"Name another: make PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make a virtual environment." \
		"On Debian or Ubuntu, install the package python3-venv."; exit 1; } >&2
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.core: .venv/.made requirements.txt requirements-build.txt
	$(PIP) $(HASHED) -r requirements.txt -r requirements-build.txt
	@touch $@

.venv/.installed: .venv/.core pyproject.toml
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.site: .venv/.core assets/package-lock.json assets/build.py $(wildcard assets/*.scss)
	$(BIN)/python assets/build.py site
	@touch $@

# What each way to ask means, so that no start has to work it out.
.venv/.finding: .venv/.installed bot/finding/meaning.py $(wildcard content/directory/*/*.yaml content/flows/*.yaml)
	$(BIN)/python -m bot.finding
	@touch $@

.venv/.dev: .venv/.core requirements-dev.txt
	$(PIP) $(HASHED) -r requirements-dev.txt
	@touch $@

.venv/.browser: .venv/.core assets/package-lock.json assets/build.py
	$(BIN)/python assets/build.py browser
	@touch $@
