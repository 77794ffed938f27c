# Each target makes and fills $(VENV) by itself; a stamp file says what is installed,
# and is written only after the installation has succeeded.

PYTHON ?= python3
VENV ?= .venv
VENV_OLDEST ?= .venv-oldest
JOBS ?= 2
PYTEST_ARGS ?=

BIN := $(VENV)/bin/python
INSTALL = $(BIN) -m pip install --disable-pip-version-check -c constraints.txt -e
# Every warning is an error, an unknown reference one of them; nothing is fetched.
SPHINX = $(BIN) -m sphinx -b html -n -W --keep-going
DEPENDS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-oldest docs docs-fast lint format

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Set PYTHON=python3.12 for another Python, VENV=folder for another place."

demo: $(VENV)/.stamp-demo ## cluster real wafer maps, with a progress bar, a table and pictures
	MPLBACKEND=Agg $(BIN) -u examples/plot_01_wafer_maps.py \
	    --seeds 0 1 2 --verbose 1

test: $(VENV)/.stamp-test ## run every test and doctest, with coverage
	$(BIN) -m pytest -n $(JOBS) --dist worksteal \
	    --cov --cov-report=term --cov-fail-under=90 $(PYTEST_ARGS)

# One process, as on the smallest machine. Old releases warn of what later ones changed,
# and scikit-learn 1.6 of images that are all equal. The export to ONNX needs a newer
# torch than the rest (the extra "onnx" in pyproject.toml), so it is left out.
test-oldest: $(VENV_OLDEST)/.stamp-oldest ## run the tests with the oldest versions allowed
	OMP_NUM_THREADS=1 $(VENV_OLDEST)/bin/python -m pytest \
	    -W ignore::DeprecationWarning -W ignore::FutureWarning \
	    -W "ignore:divide by zero:RuntimeWarning:sklearn.decomposition._pca" \
	    --ignore=tests/persistence/test_onnx.py $(PYTEST_ARGS)

docs: $(VENV)/.stamp-docs ## build docs/_build/html; runs the examples that changed
	$(SPHINX) docs docs/_build/html

docs-fast: $(VENV)/.stamp-docs ## the same without running the examples
	$(SPHINX) -D plot_gallery=0 docs docs/_build/html-fast

lint: $(VENV)/.stamp-lint ## check style, format and types
	$(BIN) -m ruff check .
	$(BIN) -m ruff format --check .
	$(BIN) -m mypy

format: $(VENV)/.stamp-lint ## mend format and what ruff can mend of the style
	$(BIN) -m ruff check --fix-only .
	$(BIN) -m ruff format .

%/.stamp-venv:
	@$(PYTHON) -c "import sys; v = sys.version_info[:2]; v >= (3, 11) or sys.exit('Python 3.11 or newer is needed, and $(PYTHON) is %d.%d: try make PYTHON=python3.11' % v)"
	$(PYTHON) -m venv $*
	@touch $@

$(VENV)/.stamp-demo: $(VENV)/.stamp-venv $(DEPENDS)
	$(INSTALL) ".[plot]"
	@touch $@

$(VENV)/.stamp-test: $(VENV)/.stamp-venv $(DEPENDS)
	$(INSTALL) ".[plot,test]"
	@touch $(VENV)/.stamp-demo $@

$(VENV_OLDEST)/.stamp-oldest: $(VENV_OLDEST)/.stamp-venv pyproject.toml oldest.txt
	$(VENV_OLDEST)/bin/python -m pip install --disable-pip-version-check \
	    -c oldest.txt -e ".[plot,test]"
	@touch $@

$(VENV)/.stamp-docs: $(VENV)/.stamp-venv $(DEPENDS)
	$(INSTALL) ".[docs]"
	@touch $@

$(VENV)/.stamp-lint: $(VENV)/.stamp-venv $(DEPENDS)
	$(INSTALL) ".[plot,dev]"
	@touch $(VENV)/.stamp-demo $@
