# make demo    the whole paper on a digital phantom, in minutes
# make test    the tests
# Everything runs in .venv, which either of them sets up.

PYTHON ?= python3.11
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo test lint schema clean

help:
	@sed -n 's/^# //p' Makefile

demo: .venv/runtime
	snakemake --configfile config/demo.yaml --cores $(CORES) --quiet rules host

test: .venv/development
	pytest --numprocesses $(CORES) --dist loadfile

lint: .venv/development
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow/rules
	snakemake --lint

schema: .venv/runtime
	maskedteeth schema --schema config/schema.json

.venv/runtime: envs/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement envs/requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/development: envs/requirements-dev.txt .venv/runtime
	$(BIN)/pip install --quiet --requirement envs/requirements-dev.txt
	touch $@

clean:
	rm -rf .venv .snakemake results/demo
