# What a person types; `make` alone says what there is. Needs Python >= 3.11 and, for `make image`,
# Docker. Everything else goes into a virtual environment of its own, from locks with hashes.

# A list of arguments for what is started: make run ARGS="--port 2000", make test ARGS="-k rib -x"
ARGS ?=
# The Python to build on; found if empty.
PYTHON ?=
# Where the virtual environment goes.
VENV ?= .venv

BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# An environment whose Python was upgraded away is as good as none.
ifneq ($(wildcard $(VENV)/*.stamp),)
ifneq ($(shell $(BIN)/python -c 'print("runs")' 2>/dev/null),runs)
$(shell rm -f $(VENV)/*.stamp)
endif
endif

.PHONY: help
help: ## say what there is
	@echo 'make TARGET [ARGS="..."] [PYTHON=python3.12]'
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

.PHONY: run
run: $(VENV)/runtime.stamp ## start the reflector: on port 179 where permitted, else on 1179
	@port=; \
	case " $(ARGS)" in *\ --port*|*\ --config*|*\ --frr*|*\ --help*|*\ -h*) ;; *) \
	  if [ -z "$$BGP_REFLECTOR_CONFIG" ] && \
	     $(BIN)/python -c 'import socket; socket.socket().bind(("", 179))' 2>&1 | \
	       grep -q PermissionError; then \
	    port="--port 1179"; \
	    echo 'make: port 179 is for root only here, so this is port 1179 (`sudo make run` gets 179)' >&2; \
	  fi ;; \
	esac; \
	exec $(BIN)/python -m reflector run $$port $(ARGS)

.PHONY: test
test: $(VENV)/dev.stamp ## run the tests; what this machine has no means for is skipped and listed
	@$(BIN)/python -m pytest -n auto $(ARGS)

.PHONY: lint
lint: $(VENV)/dev.stamp ## ruff, mypy and the import rules, as the gate does
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --explicit-package-bases tests packaging
	$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/dev.stamp ## measure the reflector (and other daemons that are installed)
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: conformance
conformance: $(VENV)/dev.stamp ## write docs/conformance.md from the tests' marks and the clauses
	@$(BIN)/python -m tests.conformance

.PHONY: generated
generated: $(VENV)/dev.stamp ## write the man page and the completions from the parsers
	@PYTHONPATH=. $(BIN)/python packaging/generate.py

.PHONY: demo
demo: $(VENV)/dev.stamp ## record docs/demo.cast and draw docs/demo.svg from it
	@$(BIN)/python -m tests.demo $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/fuzz.stamp ## coverage-guided fuzzing (Linux): ARGS="session --seconds 600"
	@$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: soak
soak: $(VENV)/dev.stamp ## load the reflector for an hour and watch its memory; ARGS="--kills 300" kills it
	@$(BIN)/python -m tests.soak $(ARGS)

.PHONY: image
image: ## build the container image bgp-reflector:latest
	docker compose -f compose/compose.yaml build $(ARGS)

.PHONY: lock
lock: ## resolve the locks anew after a change in pyproject.toml; ARGS=--upgrade takes newer versions
	@$(call make_venv,build/lock)
	@build/lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	$(UV_COMPILE) pyproject.toml --group dev --output-file requirements/dev.lock
	$(UV_COMPILE) pyproject.toml --constraint requirements/dev.lock \
	  --output-file requirements/runtime.lock
	$(UV_COMPILE) requirements/build.in --constraint requirements/dev.lock \
	  --output-file requirements/build.lock
	$(UV_COMPILE) requirements/fuzz.in --constraint requirements/dev.lock \
	  --output-file requirements/fuzz.lock

.PHONY: clean
clean: ## remove the virtual environment, caches and whatever was built
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find reflector tests -name __pycache__ -prune -exec rm -rf {} +

# One lock for every platform and every Python from 3.11 on, and no registry's address in it: an
# installation asks whichever index its machine is set up with, and the hashes judge the answer.
UV_COMPILE = @build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" $(ARGS)

# The project itself is installed editable, so that `git pull` is all that an update takes; it is
# built by what build.lock holds, not by what an index has today.
$(VENV)/runtime.stamp: requirements/runtime.lock requirements/build.lock pyproject.toml
	@$(call make_venv,$(VENV))
	@echo 'make: installing into $(VENV), this once' >&2
	@$(PIP_INSTALL) --require-hashes -r requirements/runtime.lock -r requirements/build.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements/dev.lock
	@echo 'make: installing what tests and checks need into $(VENV), this once' >&2
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@

$(VENV)/fuzz.stamp: $(VENV)/dev.stamp requirements/fuzz.lock
	@$(PIP_INSTALL) --require-hashes -r requirements/fuzz.lock
	@touch $@

# Makes an empty virtual environment in $(1) with the first Python that can. Each candidate is
# asked, because a name on PATH proves nothing: pyenv has shims for versions that are switched off,
# and Debian's python3 lacks ensurepip until python3-venv is installed.
define make_venv
	set -eu; \
	if [ -e "$(1)" ] && [ ! -e "$(1)/pyvenv.cfg" ]; then \
	  echo 'make: $(1) is there and is no virtual environment; move it away' >&2; exit 1; \
	fi; \
	found= ; old= ; bare= ; \
	for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3.14 python3 python); do \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || \
	    continue; \
	  if ! $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then old=$$version; \
	  elif ! $$python -c 'import ensurepip, venv' 2>/dev/null; then bare=$${bare:-$$version}; \
	  else found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ] && [ -n "$$bare" ]; then \
	  echo "make: Python $$bare is here, but without its venv module: install it" \
	    "(Debian, Ubuntu: sudo apt install python$$bare-venv) and run make again" >&2; exit 1; \
	elif [ -z "$$found" ]; then \
	  echo "make: this needs Python 3.11 or newer, and $(or $(PYTHON),this machine) has" \
	    "$${old:-none}: install one (Debian, Ubuntu: sudo apt install python3 python3-venv)" \
	    "or name one: make run PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	mkdir -p "$$(dirname "$(1)")"; \
	$$found -m venv --clear "$(1)"
endef
