# Two commands are enough: `make run` and `make test`. Both do all set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= .quantum_assets
PYTEST := $(BIN)/python -m pytest
# One BLAS thread a process: two processes of four threads on two cores are slower than two of one.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help run ui test test-slow lint types check bench clean lock

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# uv installs the hashed lock in seconds; where it cannot reach an index (it does not read pip's settings), pip does it.
define install
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit("quantum_assets needs Python 3.11 or newer; say make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || { echo "Creating $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-setup.lock
	@echo "Installing $(1) ..."
	@$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r $(1) \
		|| { echo "uv could not; trying pip ..."; $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(1); }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $(2)
endef

$(VENV)/.run: requirements.lock requirements-setup.lock pyproject.toml
	$(call install,requirements.lock,$@)

$(VENV)/.dev: requirements-dev.lock requirements-setup.lock pyproject.toml
	$(call install,requirements-dev.lock,$@)

run: $(VENV)/.run  ## Materialise every shipped study and print the verdicts
	@$(BIN)/quantum-assets run --home $(HOME_DIR)

ui: $(VENV)/.run  ## Dagster UI, daemon and MLflow UI on loopback
	@$(BIN)/quantum-assets ui --home $(HOME_DIR)

# Following every line and branch (COVERAGE=1, as in CI) takes three quarters more CPU time.
test: $(VENV)/.dev  ## The test suite without the slow tests
	@$(PYTEST) -n 2 --dist loadfile -m "not slow" $(if $(COVERAGE),--cov --cov-report=term:skip-covered)

test-slow: $(VENV)/.dev  ## The slow tests: crash trials, real servers, whole runs
	@$(PYTEST) -n 2 --dist loadfile -m slow

lint: $(VENV)/.dev  ## ruff and import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: $(VENV)/.dev  ## mypy --strict
	@$(BIN)/mypy

check: $(VENV)/.dev  ## Every study loads, its YAML is understood and its data are as it says
	@$(BIN)/quantum-assets check

bench: $(VENV)/.dev  ## Benchmarks beside peers, as ratios
	@$(BIN)/python -m benchmarks.gram
	@$(BIN)/python -m benchmarks.overhead
	@$(BIN)/python -m benchmarks.execution
	@$(BIN)/python -m benchmarks.qaoa

lock: $(VENV)/.dev  ## Compile the hashed lock files anew
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" --group dev --all-extras pyproject.toml -o requirements-dev.lock

clean:  ## Remove the environment (the stored versions stay)
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis build ./*.egg-info
