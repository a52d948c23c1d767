# Everything here makes its own virtual environment and needs only python3 (3.11 to 3.14) and a package index.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test nightly check docs bench bench-quick bench-ten-million chaos chaos-quick soak lock clean

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 25

demo: .venv/run.stamp ## load emulated data into feedloom.duckdb and show it; again: only what is new
	@$(BIN)/feedloom demo

test: .venv/dev.stamp ## run all tests
	@$(BIN)/pytest -n 2 --dist worksteal

nightly: .venv/dev.stamp ## run all cases of all tests, which takes twice as long
	@$(BIN)/pytest -n 2 --dist worksteal -m ""

check: .venv/dev.stamp ## lint, check the format and the types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

docs: .venv/dev.stamp ## write the reference from the catalogue
	@$(BIN)/python docs/generate.py

bench: .venv/dev.stamp ## measure against dlt and DuckDB, and write docs/performance.md (40 minutes, 8 GB of disk)
	@$(BIN)/python bench/run.py; failed=$$?; $(BIN)/python bench/write.py && exit $$failed

bench-quick: .venv/dev.stamp ## the same with 2,000 rows, to see that it works; writes nothing to docs
	@$(BIN)/python bench/run.py --quick --results bench/quick.jsonl

bench-ten-million: .venv/dev.stamp ## after bench: add a load of 10,000,000 rows to the page (20 GB of disk)
	@$(BIN)/python bench/run.py --ten-million --append; failed=$$?; $(BIN)/python bench/write.py && exit $$failed

chaos: .venv/dev.stamp ## kill, starve and mislead syncs in every way, and write docs/reliability.md (three hours)
	@$(BIN)/python chaos/matrices.py; failed=$$?; $(BIN)/python chaos/reliability.py && exit $$failed

chaos-quick: .venv/dev.stamp ## a little of the same, to see that it works; writes nothing to docs
	@$(BIN)/python chaos/matrices.py --quick --results chaos/quick.jsonl

soak: .venv/dev.stamp ## an hour of syncs among changing faults and data, and write docs/reliability.md
	@$(BIN)/python chaos/soak.py; failed=$$?; $(BIN)/python chaos/reliability.py && exit $$failed

lock: .venv/dev.stamp ## pin the dependencies anew
	@$(BIN)/$(LOCK) requirements/build.in --output-file requirements/build.lock
	@$(BIN)/$(LOCK) pyproject.toml --output-file requirements/run.lock
	@$(BIN)/$(LOCK) pyproject.toml --group dev --extra postgres --constraint requirements/run.lock --output-file requirements/dev.lock

clean: ## remove the environment and what the demo made
	rm -rf .venv .feedloom feedloom.duckdb

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 15) else "feedloom needs Python 3.11 to 3.14; try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv .venv

.venv/run.stamp: .venv/bin/python requirements/build.lock requirements/run.lock pyproject.toml
	@echo "installing feedloom into .venv ..."
	@$(PIP) -r requirements/build.lock -r requirements/run.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.lock
	@$(PIP) -r requirements/dev.lock
	@touch $@
