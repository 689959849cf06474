# Development of planner. `make` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv demo check test format clean lint tools fuzz torture bench-lint bench-plan bench-copy bench-tui data examples pictures

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/pytest -n auto -q -ra

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

venv: .venv/installed-dev ## create .venv with planner and the development tools
	@:

demo: .venv/installed ## run planner's demonstration: offline, on embedded data
	@$(BIN)/planner demo

check: lint ## lint, types, import contracts and the tests without real servers
	@$(PYTEST) -m "not real"

test: tools lint ## everything: check, and the tests with real servers, whose programs it obtains
	@PLANNER_REQUIRE_TOOLS=1 $(PYTEST)

fuzz: .venv/installed-dev ## lint 100,000 damaged specs: nothing may break, or point outside of the file
	@PLANNER_FUZZ=100000 $(PYTEST) tests/test_lint_fuzz.py

torture: tools .venv/installed-dev ## kill runs at fifty random moments, and see that nothing is ever incomplete
	@PLANNER_KILLS=50 PLANNER_REQUIRE_TOOLS=1 $(BIN)/pytest -q tests/real/test_kill.py

bench-lint: .venv/installed ## measure lint beside other tools (ARGS=--write updates docs/performance.md)
	@$(BIN)/python -m bench.lint $(ARGS)

bench-plan: .venv/installed ## measure plan beside regsync on real registries (ARGS=--write updates docs/performance.md)
	@$(BIN)/python -m bench.plan $(ARGS)

bench-copy: .venv/installed ## measure apply beside regsync, crane and skopeo on real registries (ARGS='--only W2 --runs 2', ARGS=--write)
	@$(BIN)/python -m bench.copying $(ARGS)

bench-tui: .venv/installed ## measure the review beside a stock DataTable (ARGS=--quick; ARGS=--write updates docs/performance.md)
	@$(BIN)/python -m bench.tui $(ARGS)

pictures: .venv/installed-dev ## draw anew how the review looks: docs/pictures, and the texts that tests compare
	@$(BIN)/python -m tests.review_pictures

examples: .venv/installed-dev ## write anew what planner says about the specs in examples/, and docs/configuration.md
	@$(BIN)/python -m tests.examples

data: .venv/installed ## rebuild packaged image lists from public sources (ARGS='k3s v1.36.1+k3s1 k3s-images.txt'; ARGS=--help)
	@$(BIN)/python scripts/refresh-data $(ARGS)

format: .venv/installed-dev ## rewrite the code in the project's style
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

clean: ## remove caches and build output; .venv and .tools stay
	@rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -path ./.venv -prune -o -type d -name __pycache__ -exec rm -rf {} +

lint: .venv/installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

tools:
	@scripts/obtain-tools
	@scripts/obtain-go-tools

.venv/bin/python:
	@for each in python3.14 python3.13 python3.12 python3.11 python3; do \
	    if "$$each" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        exec "$$each" -m venv .venv; \
	    fi; \
	done; \
	echo 'planner needs Python 3.11 or newer with venv; Debian and Ubuntu: apt-get install python3-venv' >&2; \
	exit 1

.venv/installed: pyproject.toml | .venv/bin/python
	@$(PIP) --editable .
	@touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	@$(PIP) --editable '.[dev]'
	@touch .venv/installed $@
