# What can be done here: make help

GO        ?= go
# Extra words for "go test": make test TESTFLAGS=-v
TESTFLAGS ?=
# How long each fuzz target runs: make fuzz FUZZTIME=10m
FUZZTIME  ?= 2m

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := help
.PHONY: help build static demo test-deps test lint cross bench conformance fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

build: ## bin/efgsta: with PKCS#11 if there is a C compiler, else without, and says which
	@if [ "$$($(GO) env CGO_ENABLED)" = 1 ]; then \
		echo "building bin/efgsta"; \
	else \
		echo "building bin/efgsta without PKCS#11: no C compiler found, or CGO_ENABLED=0; keys in files only"; \
	fi
	@$(GO) build -trimpath -o bin/efgsta ./cmd/efgsta

static: ## bin/static/efgsta: no C compiler, no PKCS#11, one static file that checks and verifies anywhere
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/static/efgsta ./cmd/efgsta

demo: static ## the whole job once, with files only: needs Go and make, nothing else
	CGO_ENABLED=0 $(GO) run ./examples/demo -efgsta bin/static/efgsta -dir demo

test-deps: ## install what the tests need: C compiler, OpenSSL, SoftHSM, 7-Zip, xmllint (Debian, Ubuntu; elsewhere it says what)
	./scripts/install-test-deps.sh test

test: test-deps ## go vet and all tests, on real SoftHSM tokens
	CGO_ENABLED=1 $(GO) vet ./...
	CGO_ENABLED=1 $(GO) test $(TESTFLAGS) ./...

lint: ## gofmt, go vet with and without cgo, staticcheck
	@files=$$(gofmt -l .) || exit 1; if [ -n "$$files" ]; then echo "gofmt would change:"; echo "$$files"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags conformance ./scripts/conformance/...
	CGO_ENABLED=0 $(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(STATICCHECK) -tags conformance ./scripts/conformance/...

cross: ## that it builds for other systems
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 $(GO) build -o /dev/null ./cmd/efgsta
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./cmd/efgsta

bench: test-deps ## the measured promises: ratios and counts of one run; a wrong count fails
	CGO_ENABLED=1 $(GO) test -run '^$$' -bench . -benchtime 1x ./scripts/bench

conformance: ## OpenSSL, a JDK and MariaDB accept what efgsta makes (installs them as test-deps does)
	./scripts/install-test-deps.sh conformance
	CGO_ENABLED=1 $(GO) test -tags conformance -count=1 $(TESTFLAGS) ./scripts/conformance/...

fuzz: ## every fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

clean: ## remove what make made
	rm -rf bin demo
