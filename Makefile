# `make demo` sets up and runs the main job, `make test` sets up and passes the tests. Both need Python 3.11, venv and pip.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALL = -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# The built wheel stands in an environment of its own, which borrows the libraries of the other.
WHEEL = $(VENV)/wheel
BESIDE = tests docs README.md CHANGELOG.md CITATION.cff CONTRIBUTING.md SECURITY.md LICENSE pyproject.toml .pre-commit-hooks.yaml action.yml zensical.toml .github
SOURCES = $(shell find gpt2calc configs -name __pycache__ -prune -o -print) README.md LICENSE pyproject.toml

# Each worker, and each program that a test starts, would compile all that it imports once more.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint docs site coverage clean

demo: $(VENV)/stamp
	@$(BIN)/gpt2calc count gpt2

# The tests run on the built wheel, in a copy of what they read, beside which the source does not stand.
test: $(WHEEL)/stamp
	@mkdir -p $(WHEEL)/beside && find $(WHEEL)/beside -type f ! -name '*.pyc' -delete
	@tar -cf - --exclude __pycache__ $(BESIDE) | tar -xf - -C $(WHEEL)/beside
	@cd $(WHEEL)/beside && ../bin/python -m pytest --quiet --numprocesses auto --dist worksteal --pyargs tests gpt2calc

coverage: export PYTEST_ADDOPTS += --cov=gpt2calc
coverage: export GPT2CALC_WIDE = 1
coverage: test

lint: $(VENV)/stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/stamp-dev
	$(BIN)/python docs/generate.py

# The docs as a site, in build/site; a warning is an error, and each link leads somewhere.
site: $(VENV)/stamp-site
	$(BIN)/zensical build --strict --clean
	$(BIN)/python docs/links.py build/site

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gpt2calc needs Python 3.11 or newer, got " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/stamp: $(VENV)/python pyproject.toml constraints.txt
	@$(BIN)/python $(INSTALL) --editable .
	@touch $@

$(VENV)/stamp-test: $(VENV)/stamp
	@$(BIN)/python $(INSTALL) --editable '.[test]'
	@touch $@

$(WHEEL)/stamp: $(VENV)/stamp-test $(SOURCES)
	@$(BIN)/python -m venv --without-pip $(WHEEL)
	@libraries='import sysconfig; print(sysconfig.get_path("purelib"))'; \
	$(BIN)/python -c "$$libraries" > "$$($(WHEEL)/bin/python -c "$$libraries")/borrowed.pth"
	@$(WHEEL)/bin/python $(INSTALL) --no-build-isolation '.[test]'
	@touch $@

$(VENV)/stamp-dev: $(VENV)/stamp-test
	@$(BIN)/python $(INSTALL) --editable '.[dev]'
	@touch $@

$(VENV)/stamp-site: $(VENV)/stamp zensical.toml
	@$(BIN)/python $(INSTALL) --editable '.[docs]'
	@touch $@
