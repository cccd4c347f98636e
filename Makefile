# `make help` prints one line for each target.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
RUN := $(BIN)/python -m portal.embedded
# Python keeps what it compiled, also where the caller's environment forbids it (containers often do): dozens of processes of
# a demo, and hundreds of a test run, would each compile the same thousand modules anew, two seconds each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo demo-reset psql test check fix faults fuzz pictures bench venv install lock

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

demo: venv ## the portal with servers, people and a target; PORT=8000
	@$(RUN) packages demo
	@exec $(RUN) demo --port $(PORT)

demo-reset: venv ## empty the demo: data, mails, keys, logs
	@$(RUN) reset

psql: venv ## the bundled psql: make psql CONN='postgresql://...' ARGS='-c "SELECT 1"'
	@exec $(RUN) psql $(if $(CONN),'$(CONN)') $(ARGS)

# Three on two cores: those who live in the house wait more than they work.
test: venv ## all tests, Chromium included; ARGS= goes to pytest
	@$(RUN) packages demo test
	@exec $(BIN)/pytest -n 3 $(ARGS)

check: venv ## lint, types, arrows, templates, migrations, deployment, diagrams
	@exec .ci/check

fix: venv ## mend what the linters can mend
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet . ; $(BIN)/python manage.py statediagrams

faults: venv ## kill, break and starve everything in turn, with make test's long share; ARGS='--done FILE --shard 1/4'
	@$(RUN) packages demo test
	@exec $(BIN)/pytest tests/faults tests/audit/log/test_foreign.py tests/audit/log/test_foreign_python.py -m 'faults or not faults' -n 2 -q $(ARGS)

fuzz: venv ## each parser that reads what others can write, 60 s each; ARGS='card --seconds 600'
	@exec $(BIN)/python -m tests.fuzz $(ARGS)

pictures: venv ## take the pictures of README and docs again, on the way of the browser tests
	@$(RUN) packages demo test
	@PORTAL_PICTURES=1 exec $(BIN)/pytest tests/web/test_whole_way_*.py -n 0 -q $(ARGS)

bench: venv ## the figures, each beside its bar; fails when one is missed
	@$(RUN) packages demo
	@exec $(BIN)/python -m tests.benchmarks $(ARGS)

# uv asks the system, as pip does, which certificates to trust.
# pip speaks of failures alone (-qq): of an index that does not hold a package, where another one does, it would warn.
# The copy of the lock inside the environment says what is installed there; the same lock asks nothing of the network.
venv: ## the virtual environment with the locked packages
	@cmp -s requirements.lock $(VENV)/requirements.lock || $(MAKE) install

install:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; PYTHON= names another one."; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked packages into $(VENV) ..."
	@{ $(BIN)/pip install -qq --disable-pip-version-check uv && UV_SYSTEM_CERTS=1 $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock; } \
		|| { echo "uv could not install them; pip does."; $(BIN)/pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock; }
	@cp requirements.lock $(VENV)/requirements.lock

lock: venv ## compile requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --extra demo --extra dev pyproject.toml -o requirements.lock
