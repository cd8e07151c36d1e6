# Two commands: `make run` and `make test`. PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint check-types check-layers tests window-tests slow-tests benchmarks format clean

run: .venv/.installed
	$(BIN)/parallax sample

test: lint check-layers check-types tests

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Parallax needs Python 3.11 or newer; choose one: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/.installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/.development: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[development]'
	touch .venv/.installed $@

lint: .venv/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-layers: .venv/.development
	$(BIN)/lint-imports

check-types: .venv/.development
	$(BIN)/mypy

# The tests share the processor between their own processes, so each takes one thread.
tests: .venv/.development
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 -m 'not slow' $(PYTEST_OPTIONS)

# What a user does, once more in a real window, where a virtual screen can be had.
window-tests: .venv/.development
	if command -v xvfb-run >/dev/null; then \
	  QT_QPA_PLATFORM=xcb OMP_NUM_THREADS=1 xvfb-run -a -s '-screen 0 1600x1000x24' \
	    $(BIN)/pytest -m 'not slow' $(PYTEST_OPTIONS) tests/e2e; \
	else echo 'No xvfb-run: what needs a real window was not tested.'; fi

slow-tests: .venv/.development
	$(BIN)/pytest -m slow $(PYTEST_OPTIONS)

benchmarks: .venv/.development
	for script in tests/benchmarks/benchmark_*.py; do $(BIN)/python $$script || exit 1; done

format: .venv/.development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
