# `make` alone lists the targets. PKG and ARGS narrow a test run: make test PKG=./core/... ARGS='-run TestSignal -v'

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PKG ?= ./...
ARGS ?=
POSTGRES_VERSIONS := 13 14 15 16 17 18

BIN := $(CURDIR)/.cache/bin
GOLANGCI := $(BIN)/golangci-lint
GOVULNCHECK := $(BIN)/govulncheck
PGSERVER := $(BIN)/pgserver

# The race detector needs cgo, and that a C compiler.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race,$(warning no C compiler: the tests run without the race detector))

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: fmt
fmt: ## format all Go code
	gofmt -s -w .

.PHONY: fmt-check
fmt-check: ## say what is not formatted
	@files=$$(gofmt -s -l .); if [ -n "$$files" ]; then echo >&2 "not formatted (make fmt):"; echo >&2 "$$files"; exit 1; fi

.PHONY: vet
vet: ## let the compiler and go vet read all code, tests included
	go vet -tags=pgbouncer,scale,screen,screenshot,mutants ./...
	cd examples/tracing && go vet ./...
	cd examples/migrating && go vet ./...
	cd e2e && go vet ./...

.PHONY: lint
lint: $(GOLANGCI) ## run the linters of .golangci.yml
	$(GOLANGCI) run

.PHONY: vuln
vuln: $(GOVULNCHECK) ## look for known vulnerabilities that the code reaches (asks a database on the net)
	$(GOVULNCHECK) ./...

.PHONY: test
test: $(PGSERVER) ## run the tests, with the race detector, on SQLite and a real PostgreSQL
	$(PGSERVER) go test $(RACE) -shuffle=on -timeout=20m $(ARGS) $(PKG)

.PHONY: test-scale
test-scale: test-property $(PGSERVER) ## run what the race detector makes too slow or falsifies: 100,000 sleeping executions, and what an execution allocates
	$(PGSERVER) go test -count=1 -timeout=10m -run 'HundredThousand|TestAllocations' .

.PHONY: measure-scale
measure-scale: $(PGSERVER) ## measure a million sleeping executions, and the deletion of a million that have ended (a quarter of an hour); STENT_SCALE is another number
	$(PGSERVER) go test -tags=scale -count=1 -timeout=60m -v -run 'TestMeasure(Sleepers|Retention)' .

.PHONY: test-property
test-property: $(PGSERVER) ## run 10,000 random workflows with crashes, and 200 on each database; STENT_PROPERTY_SEED and STENT_PROPERTY_CASES repeat one
	STENT_PROPERTY_CASES_MEMORY=10000 STENT_PROPERTY_CASES_CANCEL=2000 STENT_PROPERTY_CASES_REAL=200 $(PGSERVER) go test -count=1 -timeout=15m -run 'RandomWorkflows' .

# How long faults are injected on each backend; `make soak DURATION=15m` is the nightly form.
DURATION ?= 1m
SOAK := $(BIN)/soak

.PHONY: soak
soak: ## break everything around worker processes for DURATION on each backend, then judge what is left; ARGS='-seed N' repeats
	go build -o $(SOAK) ./internal/soak
	$(SOAK) -backend sqlite -for $(DURATION) $(ARGS)
	$(SOAK) -backend postgres -for $(DURATION) $(ARGS)

.PHONY: soak-upgrade
soak-upgrade: ## a rolling upgrade in a storm: workers of BEFORE, a soak built from an older version, serve while newer ones migrate
	@test -n "$(BEFORE)" || { echo >&2 'say BEFORE=PROGRAM: in a worktree of the older version, go build -o PROGRAM ./internal/soak'; exit 1; }
	go build -o $(SOAK) ./internal/soak
	$(SOAK) -backend sqlite -for $(DURATION) -before $(BEFORE) $(ARGS)
	$(SOAK) -backend postgres -for $(DURATION) -before $(BEFORE) $(ARGS)

.PHONY: soak-mutants
soak-mutants: ## take one protection after the other out of copies of Stent, and see the soak's judge find out (ten minutes)
	go test -tags mutants -count=1 -timeout=40m -v -run 'EveryMutant' $(ARGS) ./internal/soak

.PHONY: cover
cover: $(PGSERVER) ## how much of core and of each backend the tests run, those of the whole engine included (minutes)
	$(PGSERVER) go test -count=1 -timeout=20m -coverpkg=./core,./core/backend/sqlite,./core/backend/postgres,./core/backend/memory -coverprofile=.cache/cover.out . ./core/...
	@awk 'NR > 1 { size[$$1] = $$2; ran[$$1] += $$3 } \
		END { for (block in size) { package = block; sub("/[^/]*$$", "", package); all[package] += size[block]; if (ran[block]) run[package] += size[block] } \
			for (package in all) printf "%-55s %5.1f %% of %d statements\n", package, 100 * run[package] / all[package], all[package] }' .cache/cover.out | sort

# How long each fuzz test looks for new inputs.
FUZZTIME ?= 30s

.PHONY: fuzz
fuzz: ## look for inputs that break parsers and decoders, FUZZTIME for each; ordinary tests run those that are checked in
	@grep -rl --include=*_test.go '^func Fuzz' . | xargs -n 1 dirname | sort -u | while read -r dir; do \
		for name in $$(grep -h -o '^func Fuzz[A-Za-z]*' $$dir/*_test.go | cut -c 6-); do \
			echo "$$dir $$name"; go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $(ARGS) $$dir || exit; \
		done; \
	done

# The real programs are built at first, which takes minutes, and kept in .cache/bin.
E2E := cd e2e && STENT_TEST_PROMETHEUS=$(BIN)/prometheus3 go test -count=1
E2E_NEEDS := $(BIN)/prometheus3/prometheus $(BIN)/alertmanager

.PHONY: e2e
e2e: $(E2E_NEEDS) ## test against the real programs that read what Stent writes, and play the drill: docs/drill.md
	cd e2e && go vet ./...
	$(E2E) -timeout=30m $(ARGS) .
	$(E2E) -timeout=30m -v $(ARGS) ./drill
	cd examples/tracing && go vet ./... && go test -count=1 ./...
	cd examples/migrating && go vet ./... && go test -count=1 ./...

.PHONY: drill
drill: $(E2E_NEEDS) ## play the drill and leave everything running, with its addresses, until Ctrl-C
	$(E2E) -timeout=0 -v -run TestDrill ./drill -stay $(ARGS)

MATRIX := $(POSTGRES_VERSIONS:%=test-postgres-%)

.PHONY: test-postgres-matrix
test-postgres-matrix: $(MATRIX) ## run the tests that need PostgreSQL on versions 13 to 18; test-postgres-13 on one

# The packages whose tests import pgtest, so that none is forgotten. core/backend/postgres has to be among them.
.PHONY: $(MATRIX)
$(MATRIX): test-postgres-%: $(PGSERVER)
	@packages=$$(go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | awk '/\/internal\/pgtest/ { print $$1 }') && \
	if ! grep -q '/core/backend/postgres$$' <<<"$$packages"; then \
		echo >&2 'no test in core/backend/postgres imports internal/pgtest'; exit 1; \
	fi && \
	STENT_TEST_POSTGRES_VERSION=$* $(PGSERVER) go test -timeout=20m $(ARGS) $$packages

.PHONY: test-pgbouncer
test-pgbouncer: $(PGSERVER) ## run the story behind a real PgBouncer in transaction mode
	$(PGSERVER) go test -count=1 -timeout=5m -tags=pgbouncer -run 'PgBouncer' $(ARGS) .

.PHONY: test-screen
test-screen: $(PGSERVER) ## drive the full screen of `stent watch` through tmux
	@command -v tmux >/dev/null || { [ "$$(id -u)" = 0 ] && { apt-get install -qq -y tmux >/dev/null 2>&1 || { apt-get update -qq && apt-get install -qq -y tmux; } >/dev/null; }; } || { echo >&2 'no tmux: install the package tmux'; exit 1; }
	$(PGSERVER) go test -count=1 -timeout=10m -tags=screen -run 'TestWatch' $(ARGS) ./internal/cli

.PHONY: reference
reference: $(PGSERVER) ## write the pages of docs/reference anew that are made from the code
	go generate ./alerts
	go test ./metrics -run Reference -update
	go test ./internal/housetest -run Configuration -update
	$(PGSERVER) go test ./internal/cli -run Reference -update

.PHONY: screenshot
screenshot: ## draw docs/pictures/watch.svg from the screen of `stent watch` on a demo (needs tmux; a minute)
	go test -count=1 -timeout=5m -tags=screen,screenshot -run 'TestDrawWatch' ./internal/cli

.PHONY: postgres
postgres: $(PGSERVER) ## start a throw-away PostgreSQL, print its DSN, stop it on Ctrl-C
	@$(PGSERVER)

.PHONY: test-alerts
test-alerts: $(BIN)/alertmanager $(PGSERVER) ## let promtool and amtool check the alert rules and play their stories, and watch at a real Alertmanager
	go vet -tags promtool . ./alerts ./dashboards ./internal/promtest ./internal/cli
	go test -tags promtool -timeout=15m $(ARGS) ./alerts ./dashboards
	$(PGSERVER) go test -tags promtool -timeout=5m -run 'Outage' $(ARGS) .
	go test -tags promtool -timeout=5m -run 'RealAlertmanager' $(ARGS) ./internal/cli

.PHONY: test-alerts-prometheus3
test-alerts-prometheus3: $(BIN)/prometheus3/promtool ## the same stories with promtool of Prometheus 3 (building it takes minutes)
	STENT_TEST_PROMETHEUS=$(BIN)/prometheus3 go test -tags promtool -count=1 -timeout=15m $(ARGS) ./alerts ./dashboards

# Grafana's own types are an npm package, pinned by its lock file.
TYPECHECK := dashboards/typecheck
.PHONY: test-dashboards
test-dashboards: $(TYPECHECK)/node_modules/.package-lock.json ## check the dashboards against Grafana's own types (needs Node)
	node $(TYPECHECK)/check.mjs
	node $(TYPECHECK)/check.mjs '"fieldConfig"' '"fieldConfigs"'
	node $(TYPECHECK)/check.mjs '"unit": "s"' '"units": "s"'
	node $(TYPECHECK)/check.mjs '"drawStyle": "line"' '"drawStyle": "lines"'
	node $(TYPECHECK)/check.mjs '"expr"' '"query"'

$(TYPECHECK)/node_modules/.package-lock.json: $(TYPECHECK)/package-lock.json
	@command -v npm >/dev/null || { echo >&2 'npm is missing: install Node 20 or later (https://nodejs.org; on Debian: apt install nodejs npm)'; exit 1; }
	npm ci --prefix $(TYPECHECK) --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: bench
bench: ## measure Stent beside its peers, to bench/RESULTS.md; narrow it: make bench ARGS='-quick -rows flow5'
	cd bench && go run . compare $(ARGS)

PICTURES := internal/pictures
.PHONY: pictures
pictures: $(E2E_NEEDS) $(PICTURES)/node_modules/.package-lock.json ## play the drill and draw the dashboards in docs/pictures from it (needs Node and Chromium)
	$(E2E) -timeout=15m -v -run TestDrill ./drill -pictures=$(CURDIR)/docs/pictures

$(PICTURES)/node_modules/.package-lock.json: $(PICTURES)/package-lock.json
	npm ci --prefix $(PICTURES) --legacy-peer-deps --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: examples
examples: ## vet and test the examples
	go vet ./examples/...
	go test $(ARGS) ./examples/...

# The oldest and the newest PostgreSQL; `test` adds the machine's own. `test` is last: its summary ends the output.
CI_STAGES := fmt-check vet lint test-alerts test-alerts-prometheus3 test-dashboards test-postgres-13 test-postgres-18 test-pgbouncer test-screen test-scale soak e2e test

.PHONY: ci
ci: ## all that a change has to pass
	@for stage in $(CI_STAGES); do printf '[%4d s] make %s\n' "$$SECONDS" "$$stage"; $(MAKE) "$$stage" || exit; done

# Tools are built once and again when their versions change. They are a module of their own, so that no user of Stent
# gets their dependencies.
$(GOLANGCI): tools/go.mod tools/go.sum
	go build -C tools -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(GOVULNCHECK): tools/go.mod tools/go.sum
	go build -C tools -o $@ golang.org/x/vuln/cmd/govulncheck

# Without service discovery Prometheus is a third of its size.
$(BIN)/prometheus3/%: e2e/tools/prometheus/go.mod e2e/tools/prometheus/go.sum
	go build -C e2e/tools/prometheus -tags remove_all_sd,netgo -o $@ github.com/prometheus/prometheus/cmd/$*

$(BIN)/alertmanager: e2e/tools/alertmanager/go.mod e2e/tools/alertmanager/go.sum
	go build -C e2e/tools/alertmanager -o $@ github.com/prometheus/alertmanager/cmd/alertmanager

.PHONY: $(PGSERVER)
$(PGSERVER):
	@go build -o $@ ./internal/pgtest/pgserver
