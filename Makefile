# Each target sets up what it needs: Python 3.11 or later, Node and make are enough to begin with.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= cdktf.out
NEWEST_BINDINGS := 21.22.1
# Without it every run compiles the bindings again.
unexport PYTHONDONTWRITEBYTECODE

# Silences a notice about the successor of mkdocs-material.
export NO_MKDOCS_2_WARNING := 1

.PHONY: help synth deploy-local destroy-local test test-unit test-all check format docs docs-site rule-coverage bench wheel clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	@command -v node > /dev/null || { echo "Node 20 or later is needed: cdktf runs on it"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# The other end of the range of bindings that the library supports.
$(VENV)-newest/.runtime: requirements.txt
	@$(PYTHON) -m venv $(VENV)-newest
	@sed 's/^cdktf-cdktf-provider-aws==.*/cdktf-cdktf-provider-aws==$(NEWEST_BINDINGS)/' requirements.txt > $(VENV)-newest/requirements.txt
	@$(VENV)-newest/bin/python -m pip install --quiet --quiet --disable-pip-version-check -r $(VENV)-newest/requirements.txt
	@touch $@

synth: $(VENV)/.runtime  ## Synthesize the reference stacks into cdktf.out (ENVIRONMENT=dev|staging|prod)
	@$(BIN)/python main.py
	@$(BIN)/python -m constructs_lib summary $(OUT)

deploy-local: export ENVIRONMENT := $(or $(ENVIRONMENT),dev)
deploy-local: $(VENV)/.dev  ## Synthesize, then apply payments to a local AWS that stays up (ENVIRONMENT=dev|staging|prod)
	@$(BIN)/python main.py
	@$(BIN)/python -m constructs_lib local up payments --output $(OUT) --environment $(ENVIRONMENT)

destroy-local: $(VENV)/.dev  ## Destroy what deploy-local made and stop the local AWS
	@$(BIN)/python -m constructs_lib local down

test: $(VENV)/.dev  ## Run unit tests and rules; validate every reference stack and apply one where Terraform is there
	@$(BIN)/python -m pytest -m "smoke or not (slow or terraform or npm or apply)" -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

test-unit: $(VENV)/.dev  ## Run the tests that need nothing but Python and Node, in about a minute
	@$(BIN)/python -m pytest -m "not slow and not terraform and not npm and not apply" -n auto --maxprocesses 4 --dist loadscope

test-all: $(VENV)/.dev $(VENV)-newest/.runtime  ## Run what `make test` leaves out: both bindings, real programs, every apply
	@# The provider mostly waits for databases: several files at a time use the processor better.
	@BINDINGS_21_PYTHON=$(CURDIR)/$(VENV)-newest/bin/python $(BIN)/python -m pytest \
		-m "not smoke and (slow or terraform or npm or apply)" -n 4 --dist loadscope --no-loadscope-reorder

check: $(VENV)/.dev  ## Format, lint, types, freshness of generated docs, links
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/python docs/generate.py --check
	@# With --quiet, --strict would ignore broken links.
	DOCS_SEARCH=false $(BIN)/mkdocs build --strict --site-dir build/site

format: $(VENV)/.dev  ## Format and fix what can be fixed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: $(VENV)/.dev  ## Write what is generated: pages of docs/ and the list of bindings in use
	PYTHONPATH=. $(BIN)/python docs/generate.py

docs-site: $(VENV)/.dev  ## Build the documentation site into site/
	$(BIN)/mkdocs build --strict

rule-coverage: $(VENV)/.dev  ## Write build/rule_coverage.md: what each rule looked at in the reference stacks
	@PYTHONPATH=. $(BIN)/python docs/rule_coverage.py

bench: $(VENV)/.dev  ## Measure synthesis and write docs/performance.json and .md
	PYTHONPATH=. $(BIN)/python tests/bench/bench.py
	PYTHONPATH=. $(BIN)/python docs/generate.py

clean:  ## Remove what can be made again; never state
	rm -rf $(OUT) build site $(VENV) $(VENV)-newest dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
