# `make demo` sets up and runs the main job, `make test` sets up and passes the tests. Both need Python 3.11, venv and pip.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint docs coverage clean

demo: $(VENV)/stamp
	@$(BIN)/gpt2calc count gpt2

test: $(VENV)/stamp-test
	@$(BIN)/python -m pytest --quiet --numprocesses auto

lint: $(VENV)/stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/stamp-dev
	$(BIN)/python docs/generate.py

coverage: $(VENV)/stamp-test
	$(BIN)/python -m pytest --quiet --numprocesses auto --cov=gpt2calc

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gpt2calc needs Python 3.11 or newer, got " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/stamp: $(VENV)/python pyproject.toml constraints.txt
	@$(PIP) --editable .
	@touch $@

$(VENV)/stamp-test: $(VENV)/stamp
	@$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/stamp-dev: $(VENV)/stamp-test
	@$(PIP) --editable '.[dev]'
	@touch $@
