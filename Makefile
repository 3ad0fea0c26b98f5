# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := check
.PHONY: setup demo run test check style types coverage clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $(STAMP)

demo: setup
	@$(BIN)/ocpp-watchdog demo $(ARGS)

run: setup
	@$(BIN)/ocpp-watchdog run $(ARGS)

style: setup
	$(BIN)/ruff check proxy tests
	$(BIN)/ruff format --check proxy tests

types: setup
	$(BIN)/mypy

test: setup
	$(BIN)/python -m pytest $(ARGS)

check: style types test

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
