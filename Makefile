# Everything from nothing: Python 3.11+ and make are all that has to be there. `make help` lists the targets.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: demo test lab bench soak help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# CI installs the versions that this was tested with; everyone else gets the newest ones that fit.
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --quiet $(if $(CI),--constraint constraints.txt)
# The demo and the lab share one history, whichever folder a kernel starts in.
HISTORY = CLOACA_HISTORY="$${CLOACA_HISTORY:-$(CURDIR)/.cloaca/history.duckdb}"

demo: $(READY)/demo ## run the demo notebook, export it, run the package, compare the two
	@$(HISTORY) $(BIN)/python notebooks/demo.py

test: $(READY)/test ## check style, types and layers, run all tests (PYTEST=--cov to see what they cover)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy benchmarks
	$(BIN)/mypy soak
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist loadgroup --doctest-modules --ignore=cloaca_nb/__main__.py --ignore=cloaca_nb/compat \
		tests cloaca_nb $(PYTEST)

lab: $(READY)/lab ## open the demo notebook in JupyterLab
	@$(HISTORY) $(BIN)/jupyter lab notebooks/01_flight_delays.ipynb

bench: $(READY)/bench ## measure every speed that is promised, beside others (BENCH=... for options)
	@$(BIN)/python benchmarks/table.py $(BENCH)

soak: $(READY)/soak ## look for minutes for what no test thought of (SECONDS=... for each part, KILLS=...)
	@$(BIN)/python soak/archives.py $(or $(SECONDS),120)
	@$(BIN)/python soak/notebooks.py
	@$(BIN)/python soak/history.py $(or $(SECONDS),120) $(or $(KILLS),1000)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY)/demo: WANTED := --editable '.[demo]'
$(READY)/test: WANTED := --editable '.[demo,process]' --group lint --group test
$(READY)/lab: WANTED := --editable '.[demo,lab]'
$(READY)/bench: WANTED := --editable . --group bench
$(READY)/soak: WANTED := --editable .

$(READY)/demo $(READY)/test $(READY)/lab $(READY)/bench $(READY)/soak: $(READY)/venv pyproject.toml
	@echo "Installing what 'make $(@F)' needs into $(VENV) (the first time takes a few minutes) ..."
	@$(INSTALL) $(WANTED)
	@touch $@

# `pip install --group` came with pip 25.1.
$(READY)/venv:
	@found=; for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "There is no Python 3.11 or later here. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$found --version)"; \
	$$found -m venv $(VENV) || { \
		echo "$$found can't make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	}
	@$(PIP) install --quiet --quiet --upgrade 'pip>=25.1'
	@mkdir -p $(READY) && touch $@
