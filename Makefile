# The front door. `make help` lists what there is.
.DEFAULT_GOAL := help
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help install demo test test-quick lint ui lab bench bench-forecast bench-detect bench-theft bench-vee bench-estimate bench-million bench-dispatch bench-uncertainty bench-web fuzz screenshots docs clean-state

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(STAMP) ## build .venv from pyproject.toml and constraints.txt

$(STAMP): pyproject.toml constraints.txt .ci/install
	@VENV=$(VENV) sh .ci/install

demo: $(STAMP) ## a simulated town through the whole chain
	@$(BIN)/smartgrid demo

test: $(STAMP) ## exactly what CI runs
	@PATH="$(abspath $(BIN)):$$PATH" sh .ci/test

test-quick: $(STAMP) ## tests without the slow ones
	@$(BIN)/python -m pytest -n 2 -m "not slow" -q

lint: $(STAMP) ## format, lint, types, import rules
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/lint-imports && $(BIN)/mypy

ui: $(STAMP) ## Dagster on 127.0.0.1:3000 and MLflow on 127.0.0.1:5000
	@$(BIN)/smartgrid ui

lab: $(STAMP) ## JupyterLab with the notebooks, on 127.0.0.1 (installs it the first time)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || uv pip install --quiet --python $(BIN)/python pip
	@$(BIN)/python -c 'import jupyterlab' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[lab]'
	@$(BIN)/jupyter lab --ip 127.0.0.1 notebooks

bench: $(STAMP) ## benchmarks; ratios go to the terminal and benchmarks/results/
	@$(BIN)/python -m benchmarks

bench-forecast: $(STAMP) ## accuracy of every model and of the aggregate on public series, beside peers (an hour)
	@$(BIN)/python -m benchmarks.forecast $(FORECAST)

bench-detect: $(STAMP) ## labelled series scored by the ensemble and by plain detectors (half an hour)
	@$(BIN)/python -m benchmarks.detect $(DETECT)

bench-theft: $(STAMP) ## thieves in simulated towns: found within two weeks, at how many cases (20 minutes)
	@$(BIN)/python -m benchmarks.theft --seeds 311,312,313

bench-vee: $(STAMP) ## recall and precision of each rule on five simulated towns with true faults (20 minutes)
	@$(BIN)/python -m benchmarks.vee

bench-estimate: $(STAMP) ## how far estimates are from the truth, beside linear interpolation (3 minutes)
	@$(BIN)/python -m benchmarks.estimate

bench-million: $(STAMP) ## a day of a million meters after eight days of history, beside bare DuckDB (an hour the first time)
	@$(BIN)/python -m benchmarks.million $(MILLION)

bench-dispatch: $(STAMP) ## unit commitment beside gridx-egret on published cases, and on a network (half an hour)
	@$(BIN)/python -m benchmarks.dispatch $(DISPATCH)

bench-uncertainty: $(STAMP) ## ways to meet the forecast's uncertainty, settled over 60 days of a made-up town (40 minutes)
	@$(BIN)/python -m benchmarks.uncertainty $(UNCERTAINTY)

bench-web: $(STAMP) ## fifty viewers of the operator's page over a large lake, at rest and while it is written (5 minutes)
	@$(BIN)/python -m benchmarks.web $(WEB)

fuzz: $(STAMP) ## a million damaged files through the readers (hours; FUZZ="--seconds 600" for less)
	@$(BIN)/python -m benchmarks.fuzz $(FUZZ)

screenshots: $(STAMP) ## take the pictures of docs/for/ anew from a demo lake (SCREENSHOTS="--home DIR" for one that is there)
	@$(BIN)/python -m smartgrid_assets_tests.web.screenshots $(SCREENSHOTS)

docs: $(STAMP) ## rewrite docs/data.md and the settings in docs/operations.md
	@$(BIN)/python -m smartgrid_assets.docs
