# Two commands: `make quickstart` and `make test`. Each makes its own virtual environment in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
N      ?= 1000000
JOBS   ?= $(shell nproc)
OUT    ?= build/fuzz
SIZES  ?= 1011,10011,100011

.PHONY: quickstart test check format fuzz bench-plan coverage pretrain world-table world-study library published clean

quickstart: $(STAMP)  ## Install, then run the main study on the embedded world.
	$(BIN)/xfer run specs/quickstart.xfer

test: check  ## Format, lint, types, imports, then the tests, in JOBS processes.
	$(BIN)/python -m pytest -q --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/xfer fmt specs/*.xfer specs/*/*.xfer

fuzz: $(STAMP)  ## Fuzz the compiler: N inputs in JOBS processes, what is found into OUT (docs/benchmarks.md).
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[fuzz]'
	$(BIN)/python -m bench.fuzz --inputs $(N) --jobs $(JOBS) --out $(OUT)

bench-plan: $(STAMP)  ## Time `plan` beside Snakemake, DVC and ninja on graphs of SIZES jobs; the record into build/plan.
	$(BIN)/python -m bench.plan --sizes $(SIZES)

coverage: $(STAMP)  ## Do intervals cover, do tests hold their level? (a recorded run: docs/statistics.md, whose tables it draws.)
	$(BIN)/python -m bench.coverage

pretrain: $(STAMP)  ## Make the embedded model again (a recorded run: docs/world.md).
	$(BIN)/python -m bench.pretrain

world-table: $(STAMP)  ## Turn the knobs of the embedded world (a recorded run: docs/world.md).
	$(BIN)/python -m bench.cells

world-study: $(STAMP)  ## Which intermediate tasks help which targets in the embedded world (a recorded run: docs/world.md).
	$(BIN)/python -m bench.transfer

library: $(STAMP)  ## Write docs/library.md anew.
	$(BIN)/python -m bench.library docs/library.md

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

published: $(STAMP)  ## Retrieval on published files in 36 languages (a recorded run: docs/benchmarks.md; needs ../shared/real).
	$(BIN)/python -m bench.published

clean:
	rm -rf $(VENV) build dist *.egg-info
