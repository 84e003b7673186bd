# The two commands at the top of the README, and what a change must pass.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test check bench docs wheel clean

demo: $(VENV)/.installed  ## install, run tau_sweep, and say where the report lies
	$(BIN)/ablate study run tau_sweep

test: $(VENV)/.installed-dev  ## install, and run the whole test suite
	$(BIN)/pytest -n auto --dist worksteal

check: $(VENV)/.installed-dev  ## lint, types, layers, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/make.py --check

bench: $(VENV)/.installed-dev  ## time everything against its baselines; GROUP=generation is one group of it
	$(BIN)/python tests/benchmarks $(GROUP)

docs: $(VENV)/.installed-dev  ## write the generated pages again
	$(BIN)/python tools/make.py

wheel: $(VENV)/.installed-dev  ## build the wheel into dist/
	$(BIN)/python -m build --wheel

# a stamp and not the interpreter, which is there before pip is
$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ablate needs Python 3.11 or newer; name one: make demo PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

# Exact versions come from constraints.txt; above all they keep pip from choosing gigabytes of another torch.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/.made
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/.made
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.installed

clean:  ## remove what the targets made, not your results in .ablate
	rm -rf $(VENV) dist
