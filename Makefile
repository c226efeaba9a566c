# The commands of the house. `make` alone lists them. Only Python 3.11+ and make are needed.
SHELL := /bin/sh
# Python finds itself by PATH, which an empty environment lacks.
PATH ?= /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
PYTHON ?= python3
PY := .venv/bin/python
SETUP := $(PYTHON) loyalty_platform/launcher/setup.py
TESTS ?=
DRILLS ?=
# Commands that need no server: a warning that there is none is not an error.
MANAGE := $(PY) -W ignore::RuntimeWarning manage.py
LOCKS := base run local production

.DEFAULT_GOAL := help
.PHONY: help setup run test lint format bench bench-reports drill schema messages lock clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

setup: ## make the virtual environment with everything for development
	@exec $(SETUP) local

run: ## set everything up and serve http://127.0.0.1:8000 with demo data (PORT=… moves it, FAKES=1 adds Apple, Google and a phone)
	@$(SETUP) $(if $(filter-out 0,$(FAKES)),local,run) && exec $(PY) -m loyalty_platform.launcher

test: ## run the whole test suite (TESTS="tests/core -k money" for a part of it)
	@$(SETUP) local && exec $(PY) -m pytest -n auto --dist worksteal $(TESTS)

lint: ## style, layers, templates, migrations, API document, types
	@$(SETUP) local
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet . || { echo "Some files are not formatted: make format"; exit 1; }
	@.venv/bin/python -c "from importlinter.cli import lint_imports_command as run; run()" --no-logo
	@$(PY) -m djlint templates --check --quiet
	@$(PY) -m djlint templates --lint --quiet
	@$(MANAGE) makemigrations --check --dry-run
	@$(MANAGE) openapi --check
	@$(PY) -m mypy

format: ## rewrite files as `make lint` wants them
	@$(SETUP) local && $(PY) -m ruff check --fix-only --quiet . && $(PY) -m ruff format --quiet . && exec $(PY) -m djlint templates --reformat --quiet

bench: ## the speed of a stamp, of passes, save links and pushes, each as a ratio measured in the same run
	@$(SETUP) local && $(PY) -m tests.bench && $(PY) -m tests.bench.passes && $(PY) -m tests.bench.links && exec $(PY) -m tests.bench.pushes

bench-reports: ## the same reports at one and at ten million ledger rows (takes long; BENCH_REPORT_ROWS=100000 for a short one), and Google's pace
	@$(SETUP) local && $(PY) -m tests.bench.reports && exec $(PY) -m tests.bench.google_pace

drill: ## break a whole stack on purpose and see whether each promise holds (SHORT=1 briefly, DRILLS="3 5" some of them)
	@$(SETUP) local && exec env SHORT="$(SHORT)" $(PY) -m tests.drills $(DRILLS)

schema: ## write the API document anew
	@$(SETUP) local && exec $(MANAGE) openapi

messages: ## bring locale/*.po up to date with the source (needs gettext)
	@$(SETUP) local && exec $(MANAGE) makemessages --all --no-wrap --no-location --ignore "var/*" --ignore "tests/*"

lock: ## compile requirements/*.in to *.txt with hashes (needs uv)
	@for name in $(LOCKS); do uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean: ## remove what can be made again, but for the database in var/
	@rm -rf .venv var/static var/test .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
