# `make help` prints one line for each target.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

# The copy of the lock inside the environment says what is installed there; nothing is asked of the network when it is the same.
venv: ## the virtual environment with the locked packages
	@cmp -s requirements.lock $(VENV)/requirements.lock || $(MAKE) install

install:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; PYTHON= names another one."; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked packages into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check uv && $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock \
		|| { echo "uv could not install them; pip does."; $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock; }
	@cp requirements.lock $(VENV)/requirements.lock

lock: venv ## compile requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --extra demo --extra dev pyproject.toml -o requirements.lock

.PHONY: help venv install lock
