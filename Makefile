# What can be done here: make help

GO        ?= go
# Extra words for "go test": make test TESTFLAGS=-v
TESTFLAGS ?=
# How long each fuzz target runs: make fuzz FUZZTIME=10m
FUZZTIME  ?= 2m

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
ACTIONLINT  = github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
ZLINT       = github.com/zmap/zlint/v3/cmd/zlint@v3.6.1

.DEFAULT_GOAL := help
.PHONY: help build static demo test-deps test lint cross release release-check bench conformance mutate audit fuzz clean

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

test-deps: ## install what the tests need: C compiler, OpenSSL, SoftHSM, NSS, 7-Zip, xmllint (Debian, Ubuntu; elsewhere it says what)
	./scripts/install-test-deps.sh test

test: test-deps ## go vet and all tests, on real SoftHSM tokens
	CGO_ENABLED=1 $(GO) vet ./...
	CGO_ENABLED=1 $(GO) test $(TESTFLAGS) ./...

lint: ## gofmt, go vet with and without cgo, staticcheck; the example of a workflow
	@files=$$(gofmt -l .) || exit 1; if [ -n "$$files" ]; then echo "gofmt would change:"; echo "$$files"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags conformance ./scripts/conformance/... ./pkg/vet
	CGO_ENABLED=0 $(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(STATICCHECK) -tags conformance ./scripts/conformance/... ./pkg/vet
	$(GO) vet -tags release ./scripts/release
	$(GO) run $(STATICCHECK) -tags release ./scripts/release
	$(GO) run $(ACTIONLINT) -shellcheck= -pyflakes= examples/ci/github-workflow.yml

cross: ## bin/cross/: that it builds for Linux, macOS and Windows, amd64 and arm64
	./scripts/release.sh bin/cross

release: ## dist/: static programs for Linux, macOS and Windows, and SHA256SUMS; the same bytes wherever they are built
	./scripts/release.sh dist

release-check: ## that a release is static, and the same bytes again from another place
	$(GO) test -tags release -timeout 60m -count=1 $(TESTFLAGS) ./scripts/release

bench: ## the measured promises: ratios and counts of one run; a wrong count fails (installs what it needs)
	./scripts/install-test-deps.sh bench
	CGO_ENABLED=1 $(GO) test -run '^$$' -bench '^BenchmarkRules' -benchtime 1x ./pkg/vet
	CGO_ENABLED=1 $(GO) test -run '^$$' -bench '^BenchmarkReplay|^BenchmarkGrowth' -benchtime 1x ./pkg/journal ./pkg/ceremony
	CGO_ENABLED=1 $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./scripts/bench

conformance: ## OpenSSL, a JDK, BouncyCastle, MariaDB, Chromium and pre-commit take what efgsta makes (installs them as test-deps does)
	./scripts/install-test-deps.sh conformance
	CGO_ENABLED=0 GOBIN=$(CURDIR)/bin/tools $(GO) install $(ZLINT)
	CGO_ENABLED=1 $(GO) test -tags conformance -count=1 $(TESTFLAGS) ./scripts/conformance/...
	CGO_ENABLED=1 $(GO) test -tags conformance -count=1 $(TESTFLAGS) -run '^TestZlintAgrees$$' ./pkg/vet

mutate: ## 100,000 changed certificates: no panic, and a verdict on each within 5 s
	$(GO) test -count=1 -timeout 60m -run '^TestMutations$$' ./scripts/mutate -mutations 100000

audit: ## one bit of every byte of a small workspace changed: journal verify finds each
	$(GO) test -count=1 -timeout 60m -run '^TestVerifyWorkspaceFindsEveryByte$$' ./pkg/ceremony -every 1

# Left alone, the minimizer takes a minute for each input of the targets that verify signatures.
fuzz: ## every fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; \
		done; \
	done

clean: ## remove what make made
	rm -rf bin demo dist
