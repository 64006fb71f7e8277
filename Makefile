# LoongClaw. `make` alone lists what there is.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MODULES     := pkg gateway agent deploy
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS     := -s -w
GO_SOURCES  := $(shell find $(MODULES) -name '*.go' -not -path '*/node_modules/*') $(shell find gateway/webchat/dist agent -type f \( -name '*.md' -o -path '*/dist/*' \) 2>/dev/null) go.work

export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export WRANGLER_SEND_METRICS            := false
CLOUDFLARE := -e /deploy/cloudflare$$ -e /deploy/rollout/cloudflare$$
NPM_CI := npm ci --no-audit --no-fund --loglevel=error

.DEFAULT_GOAL := help
.PHONY: help run build image wasm page deploy rollback status test test-go test-alone test-page test-browser test-cloudflare lint fmt soak bench clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build bin/local ## gateway and agent on this machine, in this terminal
	@exec bin/local

build: bin/gateway bin/agent ## bin/gateway and bin/agent, static

bin/gateway: $(GO_SOURCES)
	@cd gateway && CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS) -X main.version=$(VERSION)' -o ../bin/gateway ./cmd/gateway
bin/agent: $(GO_SOURCES)
	@cd agent && CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS) -X main.version=$(VERSION)' -o ../bin/agent ./cmd/agent
bin/local: $(GO_SOURCES)
	@cd deploy && CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o ../bin/local ./local

image: bin/image/agent ## what deploy/agent.Dockerfile copies: bin/image

bin/image/agent: $(GO_SOURCES)
	@mkdir -p bin/image/empty && touch bin/image/empty/.keep
	@cd agent && CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -trimpath -ldflags '$(LDFLAGS) -X main.version=$(VERSION)' -o ../bin/image/agent ./cmd/agent

wasm: wrangler/node_modules/.ready ## the gateway for Cloudflare Workers
	wrangler/build.sh

page: gateway/webchat/node_modules/.ready ## build the WebChat page into gateway/webchat/dist
	cd gateway && go run ./webchat/build

%/node_modules/.ready: %/package-lock.json
	cd $* && $(NPM_CI)
	@touch $@

deploy: wasm image ## to Cloudflare: make deploy [ENV=staging] [ADDRESS=https://your.domain]
	@cd deploy && go run ./rollout/cmd deploy -env '$(or $(ENV),production)' -address '$(ADDRESS)'

rollback: ## on Cloudflare, in seconds: the generation before serves again
	@cd deploy && go run ./rollout/cmd rollback -env '$(or $(ENV),production)' -address '$(ADDRESS)'

status: ## on Cloudflare: which generation serves, and how users fare
	@cd deploy && go run ./rollout/cmd status -env '$(or $(ENV),production)' -address '$(ADDRESS)'

test: test-alone test-page wasm test-browser test-go test-cloudflare ## everything that this machine can test

test-alone: ## each module builds without the workspace
	@for m in $(MODULES); do (cd $$m && GOWORK=off go build ./... && GOWORK=off go vet ./...) || exit 1; done

test-page: gateway/webchat/node_modules/.ready wrangler/node_modules/.ready ## types and tests of the JavaScript
	cd gateway/webchat && npm run --silent check && npm test --silent
	cd wrangler && npx --no-install tsc -p tsconfig.json && node_modules/.bin/node --test test/*.test.mjs

test-browser: gateway/webchat/node_modules/.ready ## the page in a real Chromium
	@if command -v chromium >/dev/null; then cd gateway/webchat && npm run --silent test:browser; \
	else echo "SKIPPED: the page's browser tests, since there is no chromium. Next: apt-get install chromium"; fi

test-go: wasm build ## all Go tests, those against the built programs and workerd included
	go test -count=1 $$(go list $(addprefix ./,$(addsuffix /...,$(MODULES))) | grep -v $(CLOUDFLARE))

# One after the other: they measure, and start many things.
test-cloudflare: wasm image ## the Worker, its objects and containers in workerd, and a whole deploy
	cd deploy && go test -count=1 -p 1 -timeout 30m -v ./cloudflare ./rollout/cloudflare | grep -v -e '^=== ' -e '^ *$$'

lint: gateway/webchat/node_modules/.ready wrangler/node_modules/.ready ## golangci-lint, gofumpt and tsc, from pinned versions
	@deploy/lint.sh $(MODULES)
	cd gateway/webchat && npm run --silent check
	cd wrangler && npx --no-install tsc -p tsconfig.json

fmt: ## format with gofumpt
	go run mvdan.cc/gofumpt@v0.12.0 -w $(MODULES)

soak: build ## hours of kill -9, bad weather and two agents, on disk and on a real S3 server
	cd deploy && go build -o ../bin/soak ./soak
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 1000 -store disk
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 1000 -store s3 -between 3s
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 100 -store s3 -weather
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 0 -store s3 -agents 2 -users 4 -partition 45s

bench: build ## the budgets of docs/performance.md, measured here
	cd deploy && go run ./bench

clean: ## remove what was built; data and workspace stay
	rm -rf bin wrangler/build
