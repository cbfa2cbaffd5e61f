# Two commands: `make quickstart` and `make test`. Each makes its own virtual environment in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: quickstart test check format pretrain world-table clean

quickstart: $(STAMP)  ## Install, then run the main study on the embedded world.
	$(BIN)/xfer run specs/quickstart.xfer

test: check  ## Format, lint, types, imports, then the tests.
	$(BIN)/python -m pytest -q

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/xfer fmt specs/*.xfer specs/*/*.xfer

pretrain: $(STAMP)  ## Make the embedded model again (a recorded run: docs/world.md).
	$(BIN)/python -m bench.pretrain

world-table: $(STAMP)  ## Turn the knobs of the embedded world (a recorded run: docs/world.md).
	$(BIN)/python -m bench.cells

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
