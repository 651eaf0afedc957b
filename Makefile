# What people do here. `make` alone lists it.

SHELL := /usr/bin/env bash -o pipefail
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.release=$(VERSION)
BUILD := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'

# Pinned, so that a new release of the linter never breaks an old commit.
GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2

# docker compose where the plugin is installed, else docker-compose.
COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
WEIR_IMAGE ?= weirhq/weir:dev
export WEIR_IMAGE

BENCH ?= .
BENCHTIME ?= 1s
BASE ?= main
FUZZTIME ?= 20s
TRIALS ?= 1000
SOAKTIMEOUT ?= 8h

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/weir
	$(BUILD) -o bin/weir ./cmd/weir

.PHONY: test
test: ## run all tests: unit, embedded broker, real Kafka (needs a Docker engine; says so when it had none)
	@.ci/test

.PHONY: race
race: ## run the packages that have goroutines under the race detector
	@.ci/race

.PHONY: lint
lint: ## check formatting, golangci-lint (vet is in it), modules
	@unformatted=$$(gofmt -l .); if [[ -n $$unformatted ]]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi
	go mod verify
	$(GOLANGCI) run ./...

.PHONY: vuln
vuln: ## ask the Go vulnerability database (GOVULNDB=another; says so where it cannot be reached)
	@.ci/vuln

.PHONY: fmt
fmt: ## format the code
	gofmt -w .

.PHONY: bench
bench: ## measure: CPU beside plain readers, bytes, restore, memory (docs/performance.md; needs Docker; BENCH=pattern)
	go test -run '^$$' -bench '$(BENCH)' -benchtime 1x -timeout 1h ./integration/bench ./internal/backtest
	WEIR_SOAK=1 go test -run '^TestMemory$$' -v -count=1 ./stream/local

.PHONY: microbench
microbench: ## run the benchmarks of the packages (BENCH=pattern, BENCHTIME=1s)
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem $$(go list ./... | grep -v /integration/)

.PHONY: bench-decode
bench-decode: ## hold the speed of the decoders against another commit, both in one run (BASE=main)
	@.ci/bench-decode '$(BASE)'

.PHONY: bench-sketches
bench-sketches: ## measure counting beside rings of other sketches, a million identities, intervals (docs/sketches.md; TRIALS=1000)
	go test ./sketches/rivals -run 'Figures|Million' -count=1 -timeout 1h -v -figures
	go test ./sketches -run 'Intervals|Limit' -count=1 -timeout 3h -v -trials $(TRIALS)

.PHONY: lab
lab: ## measure detection: against theory, on simulated companies, on a real log (docs/lab.md; hours; WEIR_BPI2012=path)
	WEIR_LAB=1 go test -count=1 -v -timeout 12h -run '^TestLab' ./lab/...

.PHONY: soak
soak: ## run the long proofs: kills, restarts, days of traffic (needs Docker; WEIR_SOAK_ROUNDS=200, SOAKTIMEOUT=8h)
	WEIR_SOAK=1 WEIR_REQUIRE_DOCKER=1 go test -count=1 -v -timeout $(SOAKTIMEOUT) ./...

.PHONY: fuzz
fuzz: ## fuzz every fuzz test for FUZZTIME=20s each
	@.ci/fuzz $(FUZZTIME)

.PHONY: docs-check
docs-check: ## hold what the pages show of commands and their output against what they write (minutes)
	WEIR_DOCS=1 go test -count=1 -v -timeout 30m -run TestDocs ./cmd/weir

.PHONY: docs
docs: ## write the generated references under docs/ again
	go generate ./...

.PHONY: pictures
pictures: ## make the README's pictures from the demo into docs/pictures (needs Chromium)
	go run ./internal/pictures

.PHONY: deploy-check
deploy-check: ## hold deploy/ against helm, promtool, systemd and Kubernetes' API (builds helm once, for minutes)
	@.ci/deploy-check

.PHONY: snapshot
snapshot: ## try a release into dist/, published nowhere (builds goreleaser once, for minutes; SNAPSHOTFLAGS=--skip=docker)
	@.ci/release --snapshot --clean $(SNAPSHOTFLAGS)

.PHONY: release
release: ## release the tag that is checked out, as a draft (needs GITHUB_TOKEN and a login at the image registry)
	@.ci/release --clean

.PHONY: image
image: ## build the image weirhq/weir:dev (needs a registry for the base images)
	docker build --build-arg VERSION=$(VERSION) -t $(WEIR_IMAGE) .

.PHONY: image-scratch
image-scratch: ## build the same image from a local binary, without a registry
	mkdir -p dist/image
	$(BUILD) -o dist/image/weir ./cmd/weir
	docker build -f Dockerfile.scratch -t $(WEIR_IMAGE) dist/image

.PHONY: up
up: ## start Kafka, weir and a company with a leak (docker compose); alerts: make logs
	$(COMPOSE) up -d $(UPFLAGS)

.PHONY: logs
logs: ## follow weir's log of make up
	$(COMPOSE) logs -f weir

.PHONY: down
down: ## stop what make up started, and remove its data
	$(COMPOSE) down -v
