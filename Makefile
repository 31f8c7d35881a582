# `make demo` and `make test` need nothing but make and python3 (3.11 to 3.13).

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test bench check clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: .venv/installed ## the degradation study on real digits: table, verdicts, a page
	$(BIN)/resx study degradation

test: .venv/installed ## the default test suite
	$(BIN)/python -m pytest -n 2

bench: .venv/installed ## docs/speed.md; with real images: make bench CIFAR10=PATH IMAGENETTE=PATH
	$(BIN)/python scripts/speed.py $(if $(CIFAR10),--cifar10 $(CIFAR10)) $(if $(IMAGENETTE),--imagenette $(IMAGENETTE))

check: .venv/installed ## format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14)' 2>/dev/null || \
		{ echo "resx needs Python 3.11 to 3.13; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@

clean: ## remove the virtual environment
	rm -rf .venv
