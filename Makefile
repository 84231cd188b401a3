# Everything a developer types. `make help` lists it.
SHELL := /bin/bash
GO    ?= go
LAB   ?= $(CURDIR)/.services

.PHONY: help test test-long lint unit e2e fuzz demo services services-down build bench torture torture-full torture-controls

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

test: ## everything: lint, then all tests over the embedded and the real servers (installs and starts those)
	scripts/test

test-long: ## test, and what takes minutes more: a short torture, a generated API client
	ONMYWAY_TEST_LONG=1 scripts/test

lint: ## gofmt, vet, staticcheck and golangci-lint where they are there
	scripts/lint

unit: ## tests without servers, the quick round
	$(GO) test -short ./...

fuzz: ## every fuzz target for FUZZTIME (10s)
	scripts/fuzz $(or $(FUZZTIME),10s)

demo: ## the demo
	$(GO) run ./cmd/onmyway demo

bench: ## measure against plain baselines, about half an hour (BENCH="store live -o json" for some of it)
	@mkdir -p bin && $(GO) build -trimpath -o bin/onmyway ./cmd/onmyway && bin/onmyway bench $(BENCH)

torture: ## try to break the service: every scenario of the gate (TORTURE="-run R1 -seed 42" for one of them)
	$(GO) run ./cmd/torture $(TORTURE)

torture-full: ## the long scenarios too, with ten seeds where luck counts
	$(GO) run ./cmd/torture -full $(TORTURE)

torture-controls: ## programs that are broken on purpose: each must be caught
	$(GO) run ./cmd/torture -controls $(TORTURE)

build: ## a static binary in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/onmyway ./cmd/onmyway

services: ## start real Kafka, Redis and PostgreSQL for tests; prints how to use them
	scripts/services up $(LAB) && echo "source $(LAB)/env"

services-down: ## stop them
	scripts/services down $(LAB)
