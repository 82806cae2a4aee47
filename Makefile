# `make run` and `make test` install all that they need, except Python 3.11 or newer.
SHELL := /bin/sh
BIN := .venv/bin
PROTOS := $(shell find protos -name '*.proto')
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --quiet --custom-compile-command 'make requirements'
BENCH = $(BIN)/python -m tests.bench $(foreach name,ROWS ONLY SECONDS ROUNDS CONNECTIONS SYSTEMS \
	WRITE,$(if $($(name)),'$(name)=$($(name))'))

.DEFAULT_GOAL := help
.PHONY: help setup run users test check checks protos requirements kafka-jars fault fuzz clean \
	bench bench-quick drain vendor-ui screenshots

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' Makefile

run: setup ## Start everything with demo data; Ctrl-C ends it. KAFKA=apache for a real Kafka.
	@$(BIN)/python -m embedded run

users: ## Print again how to sign in to the portal that `make run` has started.
	@$(BIN)/python -m embedded users

test: setup ## Run every test that this machine can run, and list the others. ARGS='-k name'.
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: setup ## Style, types, import contracts, protos and migrations.
	@$(BIN)/python -m embedded run --data .run/check -- $(MAKE) --no-print-directory checks

checks: ## What `make check` runs; it takes the database from the settings.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd protos && ../$(BIN)/buf lint
	$(BIN)/python manage.py makemigrations --check --dry-run

setup: .venv/.synced $(PROTOS:.proto=_pb2.py) ## Install what the other targets need.

protos: $(PROTOS:.proto=_pb2.py) ## Generate the Python of the protobuf contracts.

%_pb2.py: %.proto .venv/.synced
	@$(BIN)/python -m grpc_tools.protoc -Iprotos=protos --python_out=. --pyi_out=. --grpc_python_out=. $<
	@touch $@

.venv/.synced: requirements/dev.txt requirements/uv.txt
	@echo "Installing the Python packages into .venv, once ..."
	@sh requirements/venv.sh
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements/dev.txt
	@touch $@

requirements: .venv/.synced ## Compile requirements/*.in into hashed *.txt. ARGS=--upgrade.
	cd requirements && ../$(COMPILE) $(ARGS) dev.in -o dev.txt
	cd requirements && for name in portal billing analytics uv; do \
		../$(COMPILE) -c dev.txt $$name.in -o $$name.txt || exit; done

kafka-jars: setup ## Download the jars for KAFKA=apache, so that it starts offline later.
	@$(BIN)/python -m embedded.jars

fuzz: setup ## Import 20,000 drawn files, send 20,000 bodies; hours. FUZZ_RUNS, FUZZ_SEED, ARGS.
	@FUZZ_RUNS=$${FUZZ_RUNS:-20000} $(BIN)/pytest tests/fuzz $(ARGS)

fault: setup ## Test the system under load and faults for 90 s; needs Java. ARGS='--seeds 1-5'.
	@$(BIN)/python -m tests.fault $(ARGS)

bench: setup ## Measure the portal beside plain DRF and PostgreSQL. ROWS= ONLY=get,page SECONDS=
	@$(BENCH)

bench-quick: setup ## The same with 50,000 patients, in minutes.
	@$(BENCH) QUICK=1

drain: setup ## Let the chain work off an outbox of EVENTS=1000000 on the embedded broker.
	@$(BIN)/python -m tests.bench.drain --events $${EVENTS:-1000000}

clean: ## Remove all data of `make run` (.run/) and what tools leave behind.
	@test ! -x $(BIN)/python || $(BIN)/python -m embedded clean
	@rm -rf .run .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

vendor-ui: ## Build the styles of the pages from pinned packages; needs Node. Commit the result.
	@portal/staff/vendor/build.sh

screenshots: setup ## Take the pictures of docs/screens; needs chromium. ARGS='--look FOLDER'.
	@$(BIN)/python -m tests.browser.screens $(ARGS)
