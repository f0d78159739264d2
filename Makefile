# The one entry before a commit is `make check`.

GO     ?= go
# One set of build flags everywhere: a second set is a second cold build. The
# race detector needs C and is the one exception.
export CGO_ENABLED ?= 0
BUILD  := -trimpath -buildvcs=false -ldflags='-s -w -buildid='
TOOLS  := tools/bin
CC     ?= cc
NPM    := $(shell command -v npm 2>/dev/null)
RACE   := $(shell command -v $(CC) >/dev/null 2>&1 && echo 1)
FUZZTIME ?= 60s
SOURCES := $(shell find . -name '*.go' -not -path './tools/*' -not -path './test/*') go.mod go.sum

.PHONY: build demo test clients browser bench fuzz lint check web tools

build: bin/wattgate

bin/wattgate: $(SOURCES) $(wildcard internal/server/customer/schema/*) $(wildcard internal/store/*/migrations/*)
	$(GO) build $(BUILD) -o $@ ./cmd/wattgate

# The query page is a part of the program where there is Node. Elsewhere the program
# says at its address how to build it; with CI=true there must be Node.
PAGE := web/dist/index.html
ifneq ($(NPM),)
bin/wattgate: $(PAGE)

web/node_modules/.installed: web/package.json web/package-lock.json web/.npmrc
	@if $(NPM) ci --prefix web --silent && touch $@; then :; \
	elif [ "$$CI" = true ]; then echo 'npm could not install what the query page is made of' >&2; exit 1; \
	else echo 'skipped: the query page: npm could not install what it is made of' >&2; fi

$(PAGE): web/node_modules/.installed web/build.mjs $(wildcard web/src/* web/src/examples/*)
	@if [ -e web/node_modules/.installed ]; then node web/build.mjs; fi

web: $(PAGE)
else
web:
	@echo 'the query page is built by Node: npm is missing' >&2; exit 1
ifeq ($(CI),true)
bin/wattgate: web
endif
endif

# Everything in one process, filled with an example.
demo: build
	bin/wattgate demo

# With the race detector where there is a C compiler; with CI=true there must be.
# It makes the database some fifty times slower, so that what asks it for very much
# does less under it, and what is allocated cannot be counted under it: these run
# without it too.
ALONE := ^(TestTenThousandRacingCalls|TestAllocations.*|TestNobodySeesWhatIsAnothers|TestHostile.*|TestEveryMutationIsFound|TestNameless|TestPowerCuts|TestFaulty.*|TestKilledImports)$$
# What a test skips is said with its reason; a failure shows the whole log.
test:
ifeq ($(RACE),1)
	@CGO_ENABLED=1 tools/test $(GO) test -race ./...
	@CGO_ENABLED=0 tools/test $(GO) test -tags parquet -run Parquet ./internal/meterfile
	@CGO_ENABLED=0 tools/test $(GO) test -run '$(ALONE)' ./internal/authorize ./internal/app ./internal/server/customer ./internal/store/sqlite ./cmd/wattgate
else ifeq ($(CI),true)
	@echo 'no C compiler: the race detector needs one' >&2; exit 1
else
	@echo 'skipped: the race detector, for want of a C compiler' >&2
	@tools/test $(GO) test ./...
endif
ifneq ($(WATTGATE_TEST_CITUS_URL),)
	@tools/test $(GO) test -tags citus -run TestDistributed ./internal/store/postgres
endif
	@$(MAKE) --no-print-directory clients
	@$(MAKE) --no-print-directory browser

# Other people's libraries and clients against the built program: JOSE libraries
# and published test vectors, OAuth and GraphQL clients in Go, Python and JavaScript. They
# are modules of their own, so that nothing of them comes near the server.
MODULES := test/demo test/jose test/clients test/browser
clients: build test/clients/node_modules/.installed
	@for module in test/jose test/clients; do \
	  (cd $$module && WATTGATE_BINARY=$(CURDIR)/bin/wattgate $(CURDIR)/tools/test $(GO) test -count=1 ./...) || exit 1; \
	done

# With CI=true there must be npm and its packages; otherwise a test says what it
# skips for want of them.
test/clients/node_modules/.installed: test/clients/package-lock.json
	@if npm ci --prefix test/clients --silent && touch $@; then :; \
	elif [ "$$CI" = true ]; then echo 'npm could not install the clients of test/clients' >&2; exit 1; fi

# The pages in a real browser, Debian's chromium; pictures go to test/browser/out.
browser: build
	@cd test/browser && WATTGATE_BINARY=$(CURDIR)/bin/wattgate $(CURDIR)/tools/test $(GO) test -count=1 ./...

# Speed beside bare servers in the same run; prints ratios and CPU.
bench: build
	$(GO) run ./bench -binary bin/wattgate

# Every fuzz target in turn, for FUZZTIME each.
fuzz:
	@$(GO) list ./... | while read -r pkg; do \
	  $(GO) test -list '^Fuzz' "$$pkg" 2>/dev/null | grep '^Fuzz' | while read -r target; do \
	    echo "$$pkg $$target"; \
	    tools/fuzz $(GO) test -run '^$$$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x "$$pkg" || exit 1; \
	  done || exit 1; \
	done

tools: $(TOOLS)/.installed

$(TOOLS)/.installed: tools/go.mod tools/go.sum
	cd tools && GOBIN=$(CURDIR)/$(TOOLS) $(GO) install tool
	@touch $@

# Formatting, vet, staticcheck, and that what is generated is what its sources say.
lint: tools
	@unformatted=$$($(TOOLS)/gofumpt -l $$(git ls-files -co --exclude-standard '*.go' | grep -v -e 'generated\.go$$' -e models_gen -e '_templ\.go$$')); \
	  if [ -n "$$unformatted" ]; then echo "not formatted: $$unformatted" >&2; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags parquet ./internal/meterfile
	$(GO) vet -tags citus ./internal/store/postgres
	$(TOOLS)/staticcheck ./...
	@for module in $(MODULES); do (cd $$module && $(GO) vet ./... && $(CURDIR)/$(TOOLS)/staticcheck ./...) || exit 1; done
	@generated() { cat internal/server/customer/graph/*.go internal/server/support/*_templ.go | sha256sum; }; \
	  before=$$(generated); $(TOOLS)/gqlgen generate && $(TOOLS)/templ generate -path internal/server/support -log-level error && \
	  if [ "$$before" != "$$(generated)" ]; then \
	  echo 'the generated code was not what the schema and the pages say; it is now: commit it' >&2; exit 1; fi

check: lint build test
	$(MAKE) fuzz FUZZTIME=3s
	@echo 'make check: all of it passed'
