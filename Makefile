# Everything sets itself up: a virtual environment in .venv from requirements.lock, then the work.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
FOR    ?=
REPORT ?=
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help demo test bench check format lock clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v >= (3, 11) else "vipcare needs Python 3.11 or newer, this is %d.%d: make PYTHON=python3.11 ..." % v)'
	@echo "Setting up $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Run a simulated VIP bank, live (FOR=90s to stop by itself, REPORT=file.json for figures)
	@$(BIN)/vipcare up $(if $(FOR),--for $(FOR)) $(if $(REPORT),--report $(REPORT)) $(ARGS)

check: $(READY) ## Style, types and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## All checks and tests (ARGS="-k windows" to choose)
	$(BIN)/pytest $(ARGS)

bench: $(READY) ## Rate and CPU per event of the worker (REPORT=file.json for figures)
	$(BIN)/python -m tests.bench $(if $(REPORT),--report $(REPORT)) $(ARGS)

format: $(READY) ## Put the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY) ## Renew requirements.lock from pyproject.toml
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile --upgrade --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --extra dev --python-version 3.11 pyproject.toml -o requirements.lock

clean: ## Remove what was made here: the virtual environment, caches, demo data
	rm -rf $(VENV) .vipcare .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
