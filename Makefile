# make demo    the whole paper on a digital phantom, in minutes
# make test    the tests
# make bench   the speed, beside what it is compared with
# make mutants mutation tests of the tests, in hours; MUTANTS='*.training.*'
# make lint    the linters
# make setup   install everything in .venv (the others do this first); PYTHON=/path/to/python3 chooses a Python

CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where it is set (in many images), every process would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test mutants bench lint schema clean

help:
	@sed -n '1,6s/^# //p' Makefile

setup: .venv/runtime

demo: .venv/runtime
	snakemake --configfile config/demo.yaml --cores $(CORES) --logger rich

test: .venv/development
	pytest --numprocesses $(CORES) --dist loadfile

mutants: .venv/development
	mkdir -p .mutants
	ln -sfn ../workflow .mutants/src
	ln -sf ../tests ../config ../pyproject.toml .mutants/
	cd .mutants && mutmut run --max-children $(CORES) $(MUTANTS); mutmut results

bench: .venv/development
	python benchmarks/run.py

lint: .venv/development
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow/rules
	snakemake --lint

schema: .venv/runtime
	maskedteeth schema --schema config/schema.json --docs docs/settings.md

# On a terminal pip shows what it does; in a log stand only the sentences. pip would compile every
# module; those that run are compiled then.
INSTALL = $(BIN)/pip install --no-compile $(if $(MAKE_TERMOUT),,--quiet)

# Python 3.14 has no wheel of immutables. With `true` as its compiler it is installed without its part
# in C, which it can do without, so that no compiler is needed.
.venv/runtime: envs/requirements.txt pyproject.toml
	@python=$$(envs/python.sh $(PYTHON)) && echo "Making the environment .venv with $$python" \
	    && $$python -m venv $(if $(PYTHON),--clear) .venv
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 14))'; then \
	    CC=true $(INSTALL) --no-cache-dir --no-deps $$(grep -o '^immutables==[^ ]*' $<); fi
	@echo "Installing $$(grep -c == $<) packages in it, 2 GB, or 5 GB with CUDA: this takes some minutes"
	@$(INSTALL) --requirement $<
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import cv2' 2> /dev/null || { \
	    echo "OpenCV lacks a system library here (libGL or libglib): its build without windows," \
	        "of the same version, is installed instead"; \
	    $(BIN)/pip uninstall --quiet --yes opencv-python && $(INSTALL) --no-deps --force-reinstall \
	        $$(sed -n 's/^opencv-python==\([^ ]*\).*/opencv-python-headless==\1/p' $<); }
	@touch $@

.venv/development: envs/requirements-dev.txt .venv/runtime
	@echo "Installing $$(grep -c == $<) packages for tests and linters"
	@$(INSTALL) --requirement $<
	@touch $@

clean:
	rm -rf .venv results/demo
