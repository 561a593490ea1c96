# Everything starts from python3 and make alone; uv is used where it is installed, for speed.
PYTHON ?= python3
VENV := .venv
# The Matrix server of the tests is large: only where all is tested (make test EXTRAS=dev,dev-matrix).
EXTRAS ?= dev
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test lint model mutants seeds bench clean

help: ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml
	@echo "==> setting up $(VENV) (about a minute the first time)"
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && uv pip install --quiet --python $(BIN)/python -e '.[$(EXTRAS)]'; \
	else \
	  $(PYTHON) -m venv $(VENV) || { echo "python3 cannot make a virtual environment: on Debian, apt-get install python3-venv"; exit 1; }; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar on -e '.[$(EXTRAS)]'; \
	fi
	@touch $(STAMP)

demo: $(STAMP) ## the main job on embedded servers; make demo ARGS=--auto plays the DPO too
	@$(BIN)/dpobot demo $(ARGS)

test: $(STAMP) ## all tests, and the linters
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/pytest -n auto $(ARGS)

lint: $(STAMP) ## format and check
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/mypy

model: $(STAMP) ## train the classifier anew from the corpus
	@$(BIN)/dpobot train --corpus-only && $(BIN)/dpobot evaluate --model nlp/model
	@$(BIN)/python -m nlp.robots_train

mutants: $(STAMP) ## deliberate faults in a copy of the program: which story catches each (minutes)
	@$(BIN)/python -m tests.mutants $(ARGS)

seeds: $(STAMP) ## every story with ten seeds for ports and order: the verdicts must be the same (long; ARGS=story files)
	@$(BIN)/python -m tests.seeds $(ARGS)

bench: $(STAMP) ## speed and memory
	@for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean: ## remove what was set up
	@rm -rf $(VENV) .dpobot-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
