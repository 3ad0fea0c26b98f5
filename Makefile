# Two commands do all the set-up: `make demo` and `make test`. They make .venv here and touch nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
STAMP := $(VENV)/.installed
BENCH := bench/.venv
MITMPROXY := bench/.venv-mitmproxy
HOME_ASSISTANT := .venv-homeassistant
APP := dist/homeassistant/ocpp_watchdog
PYTHON_HA ?= $(firstword $(shell command -v python3.14) $(shell command -v python3.13))

.DEFAULT_GOAL := check
.PHONY: journal-faults docs grafana homeassistant-app pictures test-alerting test-homeassistant test-deep test-npm conformance faults soak setup demo run test check style types coverage bench bench-analyze bench-goals bench-quick clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
		|| { echo "the module venv is missing: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $(STAMP)

# The field case on this machine, without hardware. ARGS="--once" ends it with the story; ARGS="--help" lists the rest.
demo: setup
	@$(BIN)/ocpp-watchdog demo $(ARGS)

run: setup
	@$(BIN)/ocpp-watchdog run $(ARGS)

style: setup
	$(BIN)/ruff check proxy tests
	$(BIN)/ruff format --check proxy tests

types: setup
	$(BIN)/mypy

# Two more than there are cores, for many tests wait for sockets. What is compiled is kept, wherever that is switched off:
# dozens of tests start the program.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min((os.cpu_count() or 1) + 2, 16))')
test coverage: export PYTHONDONTWRITEBYTECODE =
test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

# The generated tests with the numbers of examples that a night allows.
test-deep: setup
	HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests/scenarios $(ARGS)

# Pages that are written from the code; a test fails when one of them is not what the code says.
docs: setup
	$(BIN)/python -m ocpp_watchdog.shell.metrics.document docs/metrics.md
	$(BIN)/python -m ocpp_watchdog.setup.settings_page docs/settings.md

# The dashboards, written by grafana/build.py; a test fails when they are not what it says.
grafana: setup
	$(BIN)/python grafana/build.py grafana/dashboards

# Each file of the core, covered whole by its mirror test alone.
coverage: setup
	$(BIN)/python tests/individual_coverage.py $(ARGS)

# A client that is not ours (npm ocpp-rpc, strict) is charged and stopped through the proxy; needs node and npm.
test-npm: setup
	cd tests/npm && npm ci --ignore-scripts
	$(BIN)/python -m pytest tests/npm $(ARGS)

# 105 cases of relaycheck and the compliance tool's 54 through the running program, into docs/conformance.md; about eight
# minutes, in network namespaces of its own where it may make them (root).
conformance: setup $(BENCH)/.installed
	$(BIN)/python tests/conformance/run.py --fast-python $(BENCH)/bin/python --into docs/conformance.md $(ARGS)

# From an ignored stop to the owner, with Debian's Prometheus and Alertmanager; under a minute.
test-alerting: setup
	ALERTING=1 $(BIN)/python -m pytest tests/alerting $(ARGS)

# The folder that is copied to /addons of Home Assistant OS: deploy/homeassistant with the program in it.
homeassistant-app: setup
	rm -rf $(APP)
	mkdir -p $(dir $(APP))
	cp -r deploy/homeassistant $(APP)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(APP) .

# A real Home Assistant, from PyPI for the Python that PYTHON_HA names (3.13 or newer), with Debian's Mosquitto; one
# minute, and the first time nearly a gigabyte to fetch.
test-homeassistant: setup $(HOME_ASSISTANT)/.installed
	HOMEASSISTANT=$(CURDIR)/$(HOME_ASSISTANT)/bin/python $(BIN)/python -m pytest tests/homeassistant $(ARGS)

$(HOME_ASSISTANT)/.installed: tests/homeassistant/requirements.py
	@test -n "$(PYTHON_HA)" && $(PYTHON_HA) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 13))' \
		|| { echo "Home Assistant needs Python 3.13 or newer, with venv; name one with PYTHON_HA=..."; exit 1; }
	$(PYTHON_HA) -m venv $(HOME_ASSISTANT)
	$(HOME_ASSISTANT)/bin/python -m pip install --quiet homeassistant
	$(HOME_ASSISTANT)/bin/python tests/homeassistant/requirements.py >$(HOME_ASSISTANT)/requirements.txt
	$(HOME_ASSISTANT)/bin/python -m pip install --quiet --requirement $(HOME_ASSISTANT)/requirements.txt
	@touch $(HOME_ASSISTANT)/.installed

# The pictures in docs/: of the dashboards' series, and of Home Assistant's page (Debian's prometheus, mosquitto, chromium).
pictures: setup $(HOME_ASSISTANT)/.installed
	PICTURES=$(CURDIR)/docs/pictures ALERTING=1 $(BIN)/python -m pytest tests/alerting/test_real_queries.py
	PICTURES=$(CURDIR)/docs/pictures HOMEASSISTANT=$(CURDIR)/$(HOME_ASSISTANT)/bin/python $(BIN)/python -m pytest tests/homeassistant

# Faults made for real in network namespaces (root): dark, cut and lossy links, damaged bytes, frozen peers.
faults: setup
	FAULTS=1 $(BIN)/python -m pytest tests/faults $(ARGS)

# The journal under fire: sixty times kill -9, disks that are full, read-only and slow (root, or those are skipped), and
# disks that answer with EIO (needs cc); prints how soon after a kill -9 the first frame is relayed.
journal-faults: setup
	JOURNAL_FAULTS=1 $(BIN)/python -m pytest tests/journal/test_journal_kills.py tests/journal/test_journal_disks.py \
		tests/journal/test_journal_errors.py $(ARGS)

# A million numbered frames while peers restart at random, then the faults with full durations (root); twenty minutes.
soak: setup
	SOAK=1 FAULTS=1 $(BIN)/python -m pytest tests/soak tests/faults $(ARGS)

# Side by side with other relays: about an hour into docs/performance.md, or six minutes onto the screen.
$(BENCH)/.installed: bench/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --requirement bench/requirements.txt --editable .
	@touch $(BENCH)/.installed

bench: $(BENCH)/.installed
	cd bench && .venv/bin/python bench.py all --into ../docs/performance.md $(ARGS)

# What the goals in docs/performance.md need and no more, five rounds: about fifteen minutes on a machine that does nothing
# else (apt-get install haproxy nginx-light).
bench-goals: $(BENCH)/.installed $(MITMPROXY)/.installed
	cd bench && .venv/bin/python bench.py all --goals --into ../docs/performance.md $(ARGS)

# In an environment of its own: its dependencies clash with ours.
$(MITMPROXY)/.installed:
	$(PYTHON) -m venv $(MITMPROXY)
	$(MITMPROXY)/bin/pip install --quiet mitmproxy
	@touch $(MITMPROXY)/.installed

# Three logs of 100 MB through analyze, into docs/analyze-speed.md; a few minutes.
bench-analyze: setup
	$(BIN)/python bench/analyze_speed.py --into docs/analyze-speed.md $(ARGS)

bench-quick: $(BENCH)/.installed
	cd bench && .venv/bin/python bench.py all --quick $(ARGS)

check: style types test

clean:
	rm -rf $(VENV) $(BENCH) $(MITMPROXY) $(HOME_ASSISTANT) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
