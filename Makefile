# Needs Python 3.11 or newer with pip, git and make; everything else is installed into .venv.
# Another Python than the first one found: make PYTHON=/path/to/python TARGET

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-local test-eras test-train check loop loop-quick built-in-model bench-train bench-distil bench-kernels soak-kernels bench-agent bench-answers fuzz-answers record-ask bench-slices bench-defects bench-repair bench-corpus bench-twins lock lock-eras clean

VENV := .venv
PY := $(VENV)/bin/python
PIP := -m pip --disable-pip-version-check
DEMO := demo
ERAS := pandas-1.5

# The build backend is pinned too: pip hands these two to the environment in which it builds.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt

IS_NEW_ENOUGH := 'import sys; sys.exit(sys.version_info < (3, 11))'
FIND_PYTHON := for python in $(or $(PYTHON),python3.11 python3 python3.12 python3.13 python); do \
	if $$python -c $(IS_NEW_ENOUGH) 2>/dev/null; then break; fi; python=; \
	done; \
	if [ -z "$$python" ]; then \
	echo "Cellwright needs Python 3.11 or newer; none of these is one: $(or $(PYTHON),python3.11, python3, python3.12, python3.13, python)." >&2; \
	echo "Install it (Debian 12 and newer: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.11" >&2; \
	exit 1; fi

# A .venv that works is kept, whoever made it. Debian keeps ensurepip in a package of its own; the pip that is there does as well.
define ENSURE_VENV
@if ! $(PY) -c $(IS_NEW_ENOUGH) 2>/dev/null || ! $(PY) -m pip --version >/dev/null 2>&1; then \
	$(FIND_PYTHON); \
	echo "Making $(VENV) with $$($$python --version)"; \
	rm -rf $(VENV); \
	$$python -m venv $(VENV) >/dev/null 2>&1 || { \
	$$python -m venv --clear --without-pip $(VENV) && $$python $(PIP) --python $(PY) install --quiet pip; } || { \
	rm -rf $(VENV); \
	echo "$$python cannot make a virtual environment. On Debian: apt-get install python3-venv python3-pip" >&2; exit 1; }; \
	fi
endef

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.with-data ## Run the main job on the sample notebooks; results in demo/
	$(VENV)/bin/cellwright demo --out $(DEMO)

# A file's tests stay with one worker, as they share what took long to make.
test: $(VENV)/.with-dev ## Run the tests, without the slow ones: hostile code on every rung, soaks, twins, adversarial slices
	$(PY) -m pytest -n 2 --dist loadfile -m "not slow"

test-all: $(VENV)/.with-dev ## Run all tests
	$(PY) -m pytest -n 2 --dist loadfile

# PyTorch stays out of the environment of `make test`.
test-local: ## Run the tests of models in this process; installs PyTorch into .venv-local
	$(MAKE) VENV=.venv-local .venv-local/.with-local
	.venv-local/bin/python -m pytest tests/models/test_local.py

# An environment that is there already stays as it is, so only the first time takes minutes.
test-eras: $(VENV)/.with-dev ## Install the kernel environments of other years into .environments, and test what runs in them
	for era in $(ERAS); do $(VENV)/bin/cellwright environment create $$era --into .environments/$$era || exit 1; done
	$(PY) -m pytest -m eras

test-train: ## Run the tests of training; installs PyTorch and TRL into .venv-train
	$(MAKE) VENV=.venv-train .venv-train/.with-train
	.venv-train/bin/python -m pytest tests/training

loop: ## Train from random weights, three seeds and controls, and examine them; goes on where it was; writes docs/benchmarks.md
	$(MAKE) VENV=.venv-train .venv-train/.with-train
	.venv-train/bin/python -m benchmarks.loop --keep .loop

loop-quick: ## The same with one seed and less of everything; writes nothing
	$(MAKE) VENV=.venv-train .venv-train/.with-train
	.venv-train/bin/python -m benchmarks.loop --quick

built-in-model: ## Train the model that ships with Cellwright, and put it into the package
	$(MAKE) VENV=.venv-train .venv-train/.with-train
	.venv-train/bin/python -m benchmarks.loop --built-in

bench-train: ## Time fine-tuning beside plain TRL, on a GPU where there is one; writes docs/benchmarks.md
	$(MAKE) VENV=.venv-train .venv-train/.with-train
	.venv-train/bin/python -m benchmarks.training

bench-distil: ## Teach a very small student its own failures, or more of the same; goes on where it was; writes docs/benchmarks.md
	$(MAKE) VENV=.venv-train .venv-train/.with-train
	.venv-train/bin/python -m benchmarks.distil --keep .distil

check: $(VENV)/.with-dev ## Check format, lint and types
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

$(VENV)/.with-data: pyproject.toml constraints.txt
	$(ENSURE_VENV)
	@echo "Installing Cellwright with [data] into $(VENV) (minutes on the first run)"
	@$(PY) $(PIP) install --quiet --editable '.[data]' -c constraints.txt
	@touch $@

$(VENV)/.with-dev: pyproject.toml constraints.txt
	$(ENSURE_VENV)
	@echo "Installing Cellwright with [data,dev] into $(VENV) (minutes on the first run)"
	@$(PY) $(PIP) install --quiet --editable '.[data,dev]' -c constraints.txt
	@touch $(VENV)/.with-data $@

$(VENV)/.with-local: $(VENV)/.with-dev
	@echo "Installing PyTorch and transformers into $(VENV)"
	@$(PY) $(PIP) install --quiet --editable '.[local]' -c constraints.txt
	@touch $@

$(VENV)/.with-train: $(VENV)/.with-dev
	@echo "Installing PyTorch, TRL and what goes with them into $(VENV)"
	@$(PY) $(PIP) install --quiet --editable '.[local,train]' -c constraints.txt
	@touch $@

$(VENV)/.with-bench: $(VENV)/.with-dev
	@echo "Installing what the benchmarks compare with into $(VENV)"
	@$(PY) $(PIP) install --quiet --editable '.[bench]' -c constraints.txt
	@touch $@

bench-kernels: $(VENV)/.with-dev ## Time kernels against a plain ipykernel; writes docs/benchmarks.md
	$(PY) -m benchmarks.kernels

soak-kernels: $(VENV)/.with-dev ## Start, use and kill 2,000 kernels at random, and count what is left; writes docs/benchmarks.md
	$(PY) -m benchmarks.kernels.soak

bench-answers: $(VENV)/.with-bench ## Count what graders get wrong, ours and others; writes docs/benchmarks.md
	$(PY) -m benchmarks.answers

bench-slices: $(VENV)/.with-dev ## Slice outputs of CORPUS=FOLDER-OR-ZIP; writes docs/benchmarks.md
	$(PY) -m benchmarks.slices $(or $(CORPUS),$(error name the notebooks: make bench-slices CORPUS=FOLDER-OR-ZIP))

bench-agent: $(VENV)/.with-dev ## Time many runs of the agent at once
	$(PY) -m benchmarks.agent

record-ask: $(VENV)/.with-dev ## Record a terminal run of ask against a scripted server; writes docs/ask.cast
	$(PY) -m benchmarks.agent.record

bench-defects: $(VENV)/.with-dev ## Plant defects in good tasks and count what the gates catch; writes docs/benchmarks.md
	$(PY) -m benchmarks.defects

bench-corpus: $(VENV)/.with-dev ## Build CORPUS=FOLDER-OR-ZIP into OUT=DIR and count what it gives; writes docs/benchmarks.md
	$(PY) -m benchmarks.corpus $(or $(CORPUS),$(error name the notebooks: make bench-corpus CORPUS=FOLDER-OR-ZIP OUT=DIR)) --out $(or $(OUT),$(error name a folder for the dataset: OUT=DIR)) $(foreach value,$(SET),--set $(value))

bench-twins: $(VENV)/.with-dev ## Count tasks that have twins, of the samples or of DATASET=DIR; writes docs/benchmarks.md
	$(PY) -m benchmarks.twins $(DATASET)

bench-repair: $(VENV)/.with-dev ## Count what of CORPUS=... runs before and after repair, and in ENVIRONMENT=NAME[=PATH]; writes docs/benchmarks.md
	$(PY) -m benchmarks.repair $(or $(CORPUS),$(error name the notebooks: make bench-repair CORPUS=FOLDER-OR-ZIP)) $(if $(ENVIRONMENT),--environment $(ENVIRONMENT))

fuzz-answers: $(VENV)/.with-dev ## Grade a million hostile texts, and time answers of a megabyte
	$(PY) -m benchmarks.answers.fuzz

# What only [train] needs keeps its pins: PyTorch's newest brings gigabytes for GPUs to machines that have none.
lock: ## Pin the newest versions that fit pyproject.toml in constraints.txt
	@unset PIP_CONSTRAINT PIP_BUILD_CONSTRAINT; $(FIND_PYTHON); \
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$$python -m venv "$$folder/venv" && \
	"$$folder/venv/bin/python" $(PIP) install --quiet hatchling editables '.[data,dev,bench]' && \
	{ echo "# Made by 'make lock' with $$($$python --version). Do not edit: change pyproject.toml and make it anew."; \
	"$$folder/venv/bin/python" $(PIP) freeze --exclude cellwright; } > "$$folder/constraints.txt" && \
	sed 's/^\(.*\)==.*/^\1==/' "$$folder/constraints.txt" > "$$folder/names.txt" && \
	{ grep '==' constraints.txt | grep -ivf "$$folder/names.txt" || true; } >> "$$folder/constraints.txt" && \
	if grep -nE ' @ |^-|://' "$$folder/constraints.txt"; then echo "Those are no plain versions; constraints.txt stays as it was." >&2; exit 1; fi && \
	cp "$$folder/constraints.txt" constraints.txt && \
	echo "constraints.txt pins $$(grep -c == constraints.txt) packages; next: make check test"

lock-eras: $(VENV)/.with-dev ## Pin what the kernel environments of other years ask for in their locks
	$(PY) -m cellwright.kernels.eras.lock

clean: ## Remove .venv, .environments, the demo's results and every cache
	rm -rf $(VENV) .environments $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
