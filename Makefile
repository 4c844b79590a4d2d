# Every target sets up what it needs: a virtual environment in .venv and the pinned packages of constraints.txt.
# PYTHON chooses the interpreter (3.11 or newer):  make test PYTHON=python3.13

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SERVERS := $(VENV)/.servers
BENCH := $(VENV)/.bench
# Each file's tests stay in one process, where they share the servers that they start; more processes would wait for one another's servers.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile
# Tests that may take longer than what is taken for a hang in pyproject.toml.
PATIENT := --override-ini faulthandler_timeout=0

.DEFAULT_GOAL := help
.PHONY: help demo test check gates generate servers soak system wheel bench conformance matrix backends containers clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## Run the demo: services, load and faults without Docker (Ctrl-C ends it)
	$(BIN)/python -m otelkit_demo $(ARGS)

test: $(READY) ## Run the tests that need nothing but Python, a process for each core (ARGS="-n 0 --pdb" is one)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

check: gates ## Run every gate, and every test that needs no container engine
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not containers" $(PATIENT) $(ARGS)

gates: $(READY) ## Format, lint, types, import directions, freshness of generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m otelkit.reference render --check
	$(BIN)/python -m otelkit_dashboards render --check
	$(BIN)/python -m otelkit_alerts render --check

generate: $(READY) ## Write the generated boards, rules and reference pages
	$(BIN)/python -m otelkit.reference render
	$(BIN)/python -m otelkit_dashboards render
	$(BIN)/python -m otelkit_alerts render

servers: $(SERVERS) ## Run Django under every server that can be installed: gevent, uWSGI, granian, hypercorn, daphne, ...
	$(BIN)/python -m pytest -m servers $(ARGS)

soak: $(READY) ## Run what takes many minutes: relays and stacks that are killed, every fault's alert, a steady run, schemas
	$(BIN)/python -m pytest -m soak $(PATIENT) $(ARGS)

system: $(READY) ## Start the demo and look at all six services: practices, faults, alerts, deploys
	$(BIN)/python -m pytest -m "system and not soak" $(ARGS)

wheel: $(READY) ## Build the wheel, install it into an empty environment and use it
	$(BIN)/python -m pytest -m wheel $(ARGS)

bench: $(BENCH) ## Measure what it costs beside others, into BENCHMARKS.md (ARGS="requests encoder" are parts, ARGS=--quick a first look)
	$(BIN)/python -m tests.benchmarks $(ARGS)

conformance: $(READY) ## Run Django's and DRF's own suites with the kit off and on (ARGS=--subset is quick), and compare with upstream
	$(BIN)/python -m pytest -q tests/conformance
	$(BIN)/python -m tests.conformance.suites $(ARGS)

matrix: ## Run the tests on each Python and Django that this machine offers
	./tests/matrix.sh $(ARGS)

backends: $(READY) ## Run the tests against the real Prometheus, promtool, Alertmanager, Collector and Loki on PATH
	$(BIN)/python -m pytest -m backends $(ARGS)

containers: $(READY) ## Run the compose stack's test (needs a Docker engine)
	$(BIN)/python -m pytest -m "containers and not soak" $(PATIENT) $(ARGS)

clean: ## Remove the virtual environment and what the tools left
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .matrix .suites build dist

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("otelkit needs Python 3.11 or newer; %s is %d.%d. Try: make $(MAKECMDGOALS) PYTHON=python3.11" % (sys.executable, *sys.version_info[:2]) if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

$(SERVERS): $(READY)
	@echo "Installing the servers into $(VENV) (once, about half a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,servers]'
	@touch $(SERVERS)

$(BENCH): $(READY)
	@echo "Installing what otelkit is measured beside into $(VENV) (once, about ten seconds) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	@touch $(BENCH)
