# LoongClaw. `make` alone lists what there is.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MODULES     := pkg telemetry gateway agent deploy
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS     := -s -w
GO_SOURCES  := $(shell find $(MODULES) -name '*.go' -not -path '*/node_modules/*') $(shell find gateway/webchat/dist agent -type f \( -name '*.md' -o -path '*/dist/*' \) 2>/dev/null) go.work

export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export WRANGLER_SEND_METRICS            := false
# What make test-go leaves to targets of its own.
APART := -e /deploy/test/cloudflare$$ -e /deploy/internal/rollout/cloudflare$$ -e /deploy/monitoring$$ -e /deploy/test/page$$
NPM_CI := npm ci --no-audit --no-fund --loglevel=error

.DEFAULT_GOAL := help
.PHONY: test-long help run compiling build image images compose compose-deploy compose-rollback wasm page deploy rollback status smoke test test-go test-alone test-page test-browser test-budgets test-cloudflare test-rules test-lighthouse lint fmt workflows audit budgets release-check snapshot release drill dependencies soak bench clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: compiling build bin/local ## gateway and agent on this machine, in this terminal
	@exec bin/local

# The first build takes minutes, in which a terminal would stay empty.
compiling:
	@[ -x bin/local ] || echo 'Compiling both programs. The first time this takes minutes.'

build: bin/gateway bin/agent ## bin/gateway and bin/agent, static

bin/gateway: $(GO_SOURCES)
	@cd gateway && CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS) -X main.version=$(VERSION)' -o ../bin/gateway ./cmd/gateway
bin/agent: $(GO_SOURCES)
	@cd agent && CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS) -X main.version=$(VERSION)' -o ../bin/agent ./cmd/agent
bin/local: $(GO_SOURCES)
	@cd deploy && CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o ../bin/local ./cmd/local

image: bin/image/agent ## what deploy/agent.Dockerfile copies: bin/image

IMAGE_ARCH := amd64
# What keeps the agent's image small: without the debug pages of gRPC, which the exporter of
# traces brings along and nothing shows, and without copies of the AWS SDK's small functions
# in its large ones: it waits for a network, so a call more costs it nothing.
SMALL := -tags grpcnotrace -gcflags='github.com/aws/...=-l'
bin/image/agent: $(GO_SOURCES)
	@mkdir -p bin/image/empty && touch bin/image/empty/.keep
	@cd agent && CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -trimpath $(SMALL) -ldflags '$(LDFLAGS) -X main.version=$(VERSION)' -o ../bin/image/agent ./cmd/agent

# The S3 server of deploy/compose.yaml and of the tests.
S3_VERSION := v1.8.0
bin/image/gateway: $(GO_SOURCES)
	@mkdir -p bin/image
	@cd gateway && CGO_ENABLED=0 GOOS=linux GOARCH=$(IMAGE_ARCH) go build -trimpath -ldflags '$(LDFLAGS) -X main.version=$(VERSION)' -o ../bin/image/gateway ./cmd/gateway
bin/versitygw-$(S3_VERSION):
	@mkdir -p bin/s3 && cd bin/s3 && GOBIN=$(CURDIR)/bin/s3 GOWORK=off CGO_ENABLED=0 go install github.com/versity/versitygw/cmd/versitygw@$(S3_VERSION)
	@mv bin/s3/versitygw $@ && rmdir bin/s3
bin/image/versitygw: bin/versitygw-$(S3_VERSION)
	@mkdir -p bin/image && cp $< $@

images: bin/image/agent bin/image/gateway bin/image/versitygw ## the images of deploy/compose.yaml: loongclaw-{agent,gateway,s3}:local
	@for name in agent gateway s3; do docker build -q -t loongclaw-$$name:local -f deploy/$$name.Dockerfile bin/image >/dev/null || exit 1; done

compose: images ## the deployment on one machine with Docker: make compose [MONITORING=1] [PUBLISH=0.0.0.0:8787]
	@cd deploy && go run ./cmd/compose up -publish '$(or $(PUBLISH),127.0.0.1:8787)' $(if $(MONITORING),-monitoring)

# An image is named by what is in it, so that the same one is the same.
compose-deploy: bin/image/agent ## a new agent into it, proved and watched; bad ones go back by themselves [WATCH=5m]
	@id=$$(docker build -q -f deploy/agent.Dockerfile bin/image) && id=$${id#sha256:} && id=$${id:0:12} && docker tag $$id loongclaw-agent:$$id && \
	cd deploy && go run ./cmd/compose deploy $(if $(WATCH),-watch $(WATCH)) -image loongclaw-agent:$$id

compose-rollback: ## the agent before it serves again, in seconds
	@cd deploy && go run ./cmd/compose rollback

wasm: wrangler/node_modules/.ready ## the gateway for Cloudflare Workers
	@VERSION='$(VERSION)' wrangler/build.sh

page: gateway/webchat/node_modules/.ready ## build the WebChat page into gateway/webchat/dist
	cd gateway && go run ./webchat/build

%/node_modules/.ready: %/package-lock.json
	cd $* && $(NPM_CI)
	@touch $@

deploy: wasm image ## to Cloudflare: make deploy [ENV=staging] [ADDRESS=https://your.domain]
	@cd deploy && go run ./cmd/rollout deploy -env '$(or $(ENV),production)' -address '$(ADDRESS)'

rollback: ## on Cloudflare, in seconds: the generation before serves again
	@cd deploy && go run ./cmd/rollout rollback -env '$(or $(ENV),production)' -address '$(ADDRESS)'

status: ## on Cloudflare: which generation serves, and how users fare
	@cd deploy && go run ./cmd/rollout status -env '$(or $(ENV),production)' -address '$(ADDRESS)'

# The token comes from the environment: arguments stand in the list of processes.
smoke: ## ask what is deployed over thirty questions: SMOKE_TOKEN=… in the environment, make smoke ADDRESS=https://your.domain [SLEEP=6m]
	@cd deploy && go run ./cmd/smoke -address '$(ADDRESS)' -version '$(VERSION)' -report .. $(if $(SLEEP),-sleep '$(SLEEP)')

test: test-alone test-page wasm test-browser test-rules test-go test-budgets test-cloudflare ## everything that this machine can test

test-alone: ## each module builds without the workspace
	@for m in $(MODULES); do (cd $$m && GOWORK=off go build ./... && GOWORK=off go vet ./...) || exit 1; done

test-page: gateway/webchat/node_modules/.ready wrangler/node_modules/.ready ## types and tests of the JavaScript
	cd gateway/webchat && npm run --silent check && npm test --silent
	cd wrangler && npx --no-install tsc -p tsconfig.json && node_modules/.bin/node --test test/*.test.mjs

test-browser: gateway/webchat/node_modules/.ready ## the page in a real Chromium
	@if command -v chromium >/dev/null; then cd gateway/webchat && npm run --silent test:browser; \
	else echo "SKIPPED: the page's browser tests, since there is no chromium. Next: apt-get install chromium"; fi

test-go: wasm build deploy/test/e2e/openai/node_modules/.ready deploy/test/e2e/mcp/node_modules/.ready ## all Go tests, those against the built programs and workerd included
	@command -v redis-server >/dev/null || echo "SKIPPED: what gateways share through Redis, since there is no redis-server. Next: apt-get install redis-server"
	go test -count=1 -timeout 30m -skip '^TestBudget' $$(go list $(addprefix ./,$(addsuffix /...,$(MODULES))) | grep -v $(APART))

test-budgets: ## what must be done in time, with nothing beside it
	go test -count=1 -run '^TestBudget' ./agent/runs

# One after the other: they measure, and start many things.
test-cloudflare: wasm image deploy/test/e2e/mcp/node_modules/.ready gateway/webchat/node_modules/.ready ## the Worker, its objects and containers in workerd, and a whole deploy
	cd deploy && go test -count=1 -p 1 -timeout 30m -v ./test/cloudflare ./internal/rollout/cloudflare | grep -v -e '^=== ' -e '^ *$$'

test-rules: ## what Prometheus records, when it calls, and the dashboard, by promtool
	cd deploy && go test -count=1 -timeout 30m ./monitoring

# It measures, so it wants nothing beside it.
test-lighthouse: build deploy/test/page/lighthouse/node_modules/.ready ## the page on a phone, by Lighthouse, in front of the built programs
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin go test -count=1 -timeout 60m -v ./test/page

# By hand, before a change of weight is called done: about an hour.
test-long: build gateway/webchat/node_modules/.ready test-lighthouse ## fuzzing, the page's scores, and kills on a directory, on SQLite and on a real S3 server
	deploy/fuzz.sh $(MODULES)
	cd gateway/webchat && npm run --silent test:long
	cd deploy && go build -o ../bin/soak ./cmd/soak
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 200 -store disk
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 200 -store sqlite
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 60 -store s3 -between 3s

lint: gateway/webchat/node_modules/.ready wrangler/node_modules/.ready ## golangci-lint, gofumpt and tsc, from pinned versions
	@deploy/lint.sh $(MODULES)
	cd gateway/webchat && npm run --silent check
	cd wrangler && npx --no-install tsc -p tsconfig.json

# Pinned; deploy/tool.sh installs them into bin/tools.
ACTIONLINT  = deploy/tool.sh github.com/rhysd/actionlint/cmd/actionlint v1.7.12
GOVULNCHECK = deploy/tool.sh golang.org/x/vuln/cmd/govulncheck v1.9.0
GORELEASER  = deploy/tool.sh github.com/goreleaser/goreleaser/v2 v2.13.0
CYCLONEDX   = deploy/tool.sh github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod v1.10.0

workflows: ## actionlint over .github/workflows
	@lint="$$($(ACTIONLINT))" && "$$lint" -color=false

audit: ## known weaknesses: govulncheck and npm audit; needs a network
	@check="$$($(GOVULNCHECK))" && for m in $(MODULES); do echo "govulncheck $$m" && (cd $$m && GOWORK=off "$$check" ./...) || exit 1; done
	cd wrangler && npm audit --audit-level=high
	cd gateway/webchat && npm audit --omit=dev

budgets: wasm image ## the sizes that must not be passed: gateway.wasm, the agent's image
	@size=$$(wc -c <bin/image/agent) && echo "the agent's image: $$size bytes (at most 40000000)" && [ "$$size" -le 40000000 ]

release-check: ## judge .goreleaser.yaml
	@releaser="$$($(GORELEASER))" && "$$releaser" check

snapshot: ## everything of a release into dist, and nothing published
	@releaser="$$($(GORELEASER))" && bom="$$($(CYCLONEDX))" && PATH="$$(dirname "$$bom"):$$PATH" "$$releaser" release --snapshot --clean

# The notes are those of the tag; a tag without notes is no release.
release: ## publish the tag that is checked out, as a draft: for CI
	@notes="docs/releases/$$(git describe --tags --exact-match).md" && [ -f "$$notes" ] && \
	releaser="$$($(GORELEASER))" && bom="$$($(CYCLONEDX))" && PATH="$$(dirname "$$bom"):$$PATH" "$$releaser" release --clean --release-notes "$$notes"

fmt: ## format with gofumpt
	go run mvdan.cc/gofumpt@v0.12.0 -w $(MODULES)

drill: build bin/local ## export, destroy, restore, verify: what comes back is what was
	@deploy/drill.sh

dependencies: ## docs/DEPENDENCIES.md: every module and package, with its licence
	@cd deploy && go run ./cmd/licenses

soak: build ## hours of kill -9, a failing network and two agents, on disk, on SQLite and on a real S3 server
	cd deploy && go build -o ../bin/soak ./cmd/soak
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 1000 -store disk
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 1000 -store sqlite
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 200 -store sqlite -agents 2
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 1000 -store s3 -between 3s
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 100 -store s3 -faults
	cd deploy && LOONGCLAW_BIN=$(CURDIR)/bin ../bin/soak -rounds 0 -store s3 -agents 2 -users 4 -partition 45s

bench: build ## the budgets of docs/performance.md, measured here
	cd deploy && go run ./cmd/bench

clean: ## remove what was built; data and workspace stay
	rm -rf bin wrangler/build
