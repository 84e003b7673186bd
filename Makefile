# The two commands at the top of the README, and those that a change needs. `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
AXE := tests/browser/node_modules/.package-lock.json

.PHONY: help demo test test-fast coverage check audit prose format golden bench simulate faults tutorial site screenshots links gallery gallery-pages gallery-check licences release pythons clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s  %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.installed  ## install, run tau_sweep, and print where the report is
	$(BIN)/ablate study run tau_sweep

test: $(VENV)/.installed-dev $(AXE)  ## install, and run the whole test suite
	$(BIN)/pytest -n auto --dist worksteal

test-fast: $(VENV)/.installed-dev $(AXE)  ## run the tests that are not slow, up to the first failure
	$(BIN)/pytest -n auto --dist worksteal -m "not slow" --exitfirst

coverage: $(VENV)/.installed-dev $(AXE)  ## run the whole test suite, list the lines that no test reaches, and check the floor
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=term-missing:skip-covered

check: prose $(VENV)/.installed-dev  ## check style, types, layers and prose
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/lint-imports --no-cache --config tools/importlinter-plugins.toml
	$(BIN)/python tools/gallery --check

audit: $(VENV)/.installed-dev  ## compare the versions in constraints.txt with the published vulnerabilities
	$(BIN)/python tools/audit.py constraints.txt

prose: $(VENV)/.installed-dev  ## check spelling, and find phrases that are hard to read
	$(BIN)/codespell
	$(BIN)/python tools/prose.py

format: $(VENV)/.installed-dev  ## format the code and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: $(VENV)/.installed-dev  ## update the report texts and the defaults that the tests expect; review the difference
	ABLATE_RENEW_GOLDEN=1 $(BIN)/pytest -q tests/report/test_golden.py tests/study/plan/test_defaults.py

bench: $(VENV)/.installed-dev  ## time everything against its baselines; GROUP=generation runs one group
	$(BIN)/python tests/benchmarks $(GROUP)

simulate: $(VENV)/.installed-dev  ## simulate studies and write the tables of docs/explanation/simulations.md; TOPIC=families writes one
	$(BIN)/python tools/make_statistics.py $(TOPIC)

faults: $(VENV)/.installed-dev  ## attack running studies, and write the table of docs/explanation/reliability.md; KIND=locks makes one kind
	$(BIN)/python tools/faults $(if $(KIND),$(KIND),--write)

tutorial: $(VENV)/.installed-dev  ## do what the pages of the tutorial say, and compare the output; some minutes
	$(BIN)/python tools/run_tutorial.py

site: $(VENV)/.installed-docs  ## build the documentation site into build/site, with warnings as errors
	@echo "building the documentation into build/site; this takes some minutes"
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going docs build/site

screenshots: $(VENV)/.installed-dev  ## take the pictures of docs/images again, from the reports in the gallery
	$(BIN)/python tools/make_screenshots.py

links: $(VENV)/.installed-docs  ## open every address that the documentation names; needs a network
	$(BIN)/sphinx-build --quiet --builder linkcheck docs build/links

gallery: $(VENV)/.installed-dev  ## run every shipped study that has no results in the home (hours), and write docs/gallery; STUDIES="a b" takes these
	$(BIN)/python tools/gallery $(if $(MACHINE),--machine '$(MACHINE)') $(STUDIES)

gallery-pages: $(VENV)/.installed-dev  ## write docs/gallery from the finished studies of the home again, and run nothing
	$(BIN)/python tools/gallery --no-run $(if $(MACHINE),--machine '$(MACHINE)') $(STUDIES)

gallery-check: $(VENV)/.installed-dev  ## list the pages of docs/gallery that do not show the study files of today
	$(BIN)/python tools/gallery --check

licences: $(VENV)/.installed-release  ## write docs/reference/licences.md again, from the installed packages
	$(BIN)/python tools/release --licences

release: $(VENV)/.installed-release  ## build wheels and sources from the last commit into dist/, and check them, up to the upload
	$(BIN)/python tools/release

pythons: $(VENV)/.installed-release  ## try the wheel on every supported Python that is found; run `make release` first
	$(BIN)/python tools/pythons.py dist/ablate-music/*.whl

# The file that pip needs is this stamp: the interpreter exists before pip does. A folder without it was made by somebody
# else, or by a target that was stopped: it is not overwritten.
$(VENV)/.made:
	@if [ -e $(VENV) ]; then echo "$(VENV) exists, but this Makefile did not finish making it, and would overwrite it; choose another folder (make VENV=build/venv demo), or remove $(VENV)" >&2; exit 1; fi
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ablate needs Python 3.11 or newer; name one: make demo PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	touch $@

# Exact versions come from constraints.txt; above all they keep pip from choosing gigabytes of another torch.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing ablate into $(VENV); this takes some minutes the first time"
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing ablate and what its tests need into $(VENV); this takes some minutes the first time"
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing ablate and what its documentation needs into $(VENV); this takes some minutes the first time"
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev,docs]'
	touch $@ $(VENV)/.installed-dev $(VENV)/.installed

$(VENV)/.installed-release: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing ablate and what a release needs into $(VENV); this takes some minutes the first time"
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev,release]'
	touch $@ $(VENV)/.installed-dev $(VENV)/.installed

# axe-core, which checks pages for accessibility. Its tests are skipped without it, so its absence is no error.
$(AXE): tests/browser/package-lock.json
	if command -v npm >/dev/null; then npm ci --silent --prefix tests/browser || echo "axe-core could not be installed: its tests are skipped"; fi

clean:  ## remove the files that these targets made, but not your results in .ablate
	rm -rf $(VENV) dist build .coverage tests/browser/node_modules
