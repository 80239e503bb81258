# Each target sets up what it needs: Python 3.11 or later, Node and make are enough to begin with.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= cdktf.out
# Node 20 works; jsii's banner about its age would bury the output.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION ?= 20
# Without it every run compiles the bindings again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help synth test test-apply check format docs bench wheel clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.runtime: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

synth: $(VENV)/.runtime  ## Synthesize the reference stacks into cdktf.out (ENVIRONMENT=dev|staging|prod)
	@$(BIN)/python main.py
	@$(BIN)/python -m constructs_lib summary $(OUT)

test: $(VENV)/.dev  ## Run the tests
	@$(BIN)/python -m pytest

check: $(VENV)/.dev  ## Format, lint, types, freshness of generated docs
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/python docs/generate.py --check

format: $(VENV)/.dev  ## Format and fix what can be fixed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: $(VENV)/.dev  ## Write the generated pages of docs/
	PYTHONPATH=. $(BIN)/python docs/generate.py

clean:  ## Remove what can be made again; never state
	rm -rf $(OUT) $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
