# Every target works from a fresh clone with Python 3.11, git and a package index. `make help` lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
VENV := .venv/.installed
REGO := --ignore '*.json' policies
UNCOVERED = opa eval --fail-defined --input .venv/coverage.json 'line := input.files[file].not_covered[_].start.row'
KUBE_LINTER := v0.7.21
GO_ROOT = $(shell "$$(bash .ci/find-go)" env GOROOT)
export PATH := $(CURDIR)/.tools:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start hundreds of processes, each of which would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE
say = @printf >&2 '== %s\n'

.DEFAULT_GOAL := help
.PHONY: peers help demo replay test fuzz check policies tools bench crash faults load rollout pictures lock

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

$(VENV): pyproject.toml requirements.lock
	$(say) 'installing into .venv'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV) ## A pull request is reviewed on this machine, look at it in a browser (ARGS=--once ends by itself)
	@$(BIN)/python -m tests.demo.demo $(ARGS)

replay: $(VENV) ## Review BASE..HEAD of any local git repository: REPO=<git dir> BASE=<sha> HEAD=<sha>; one JSON object
	@$(BIN)/python -m tests.demo.replay "$(REPO)" "$(BASE)" "$(HEAD)"

test: $(VENV) ## All tests; those that need OPA, the renderer, PostgreSQL or Chromium are skipped by name where it cannot be had
	@$(MAKE) --silent tools && $(BIN)/python -m gracegate.rendering || echo 'no OPA or no renderer: the tests that need it will be skipped'
	@$(BIN)/pytest --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses 4 --dist loadfile $(ARGS)

fuzz: $(VENV) ## The random tests alone, for long: EXAMPLES=10000 of each, ARGS for pytest
	@EXAMPLES=$(or $(EXAMPLES),10000) $(BIN)/pytest --hypothesis-profile=fuzz -m hypothesis $(ARGS)

check: $(VENV) tools ## Style, types, architecture, Rego, and whether generated files are fresh
	$(say) 'ruff'
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	$(say) 'mypy --strict'
	@$(BIN)/mypy --no-error-summary
	$(say) 'architecture'
	@$(BIN)/pytest -q --no-header -p no:cacheprovider tests/test_architecture.py
	$(say) 'gofmt, go vet, go test'
	@cd service/renderer && unformatted=$$("$(GO_ROOT)/bin/gofmt" -l .) && { test -z "$$unformatted" || { echo "$$unformatted"; exit 1; }; }
	@cd service/renderer && "$(GO_ROOT)/bin/go" vet ./... && "$(GO_ROOT)/bin/go" test ./...
	$(say) 'opa fmt, opa check --strict'
	@opa fmt --list --fail policies
	@opa check --strict --schema policies/schema $(REGO)
	@opa check --strict --capabilities policies/capabilities.json --ignore '*_test.rego' $(REGO)
	$(say) 'opa test, and every line of the rules covered'
	@opa test --timeout 10m --coverage $(REGO) >.venv/coverage.json
	@$(UNCOVERED) --format discard >/dev/null || { $(UNCOVERED) --format pretty; exit 1; }
	$(say) 'regal lint'
	@if command -v regal >/dev/null; then regal lint policies; else echo 'regal is not installed: skipped' >&2; fi
	$(say) 'generated files are fresh'
	@$(BIN)/python -m gracegate.policy.build --check
	@$(BIN)/python -m gracegate.reference --check

policies: $(VENV) tools ## Regenerate the catalogue, the Wasm build and the pages of the rules
	@$(BIN)/python -m gracegate.policy.build.api_schema
	@$(BIN)/python -m gracegate.policy.build.api_versions
	@$(BIN)/python -m gracegate.policy.build
	@$(BIN)/python -m gracegate.reference

tools: ## The pinned OPA and the renderer of kustomize and Helm, built into .tools; axe-core for the tests of pages
	@bash .ci/get-opa
	@bash .ci/get-renderer
	@bash .ci/get-axe

peers: ## kube-linter, which `make bench` measures beside gracegate, built into .tools from its public module
	@GOBIN=$(CURDIR)/.tools "$(GO_ROOT)/bin/go" install golang.stackrox.io/kube-linter/cmd/kube-linter@$(KUBE_LINTER)

bench: $(VENV) ## Speed and peak memory of the command line (ARGS: checkouts to measure, see tests/bench)
	@$(BIN)/python tests/bench/bench_cli.py $(ARGS)

crash: $(VENV) tools ## Processes are killed at random while pull requests change: nothing may be lost (ARGS=--help)
	@$(BIN)/python -m tests.bench.crash $(ARGS)

faults: $(VENV) ## Every request of a review fails in every way: it must end as if nothing had happened
	@$(BIN)/python -m tests.bench.faults $(ARGS)

load: $(VENV) ## How fast webhooks are answered, and reviews per CPU second (ARGS=--quick to see that it works)
	@$(BIN)/python -m tests.bench.load $(ARGS)

rollout: $(VENV) ## Rolling updates of real servers beside their simulation, in half a minute (ARGS=--all for the table)
	@$(BIN)/python -m tests.bench.real_rollout $(ARGS)

pictures: $(VENV) ## Take the pictures of the README in Chromium (ARGS: another folder for them)
	@$(BIN)/python -m tests.demo.pictures $(ARGS)

lock: ## Write requirements.lock anew from pyproject.toml
	@$(PYTHON) -m venv --clear .venv/lock
	@.venv/lock/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	@.venv/lock/bin/python -m pip install --quiet --group dev hatchling editables '.[postgresql]'
	@{ sed -n '/^#/p' requirements.lock; .venv/lock/bin/python -m pip freeze --exclude gracegate; } > .venv/lock/new
	@mv .venv/lock/new requirements.lock && rm -r .venv/lock
