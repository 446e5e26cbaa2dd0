# Orchard and the toolkit on one machine. "make help" lists what there is.
PYTHON ?= python3
VENV := .venv/bin
RUN := PYTHONPATH=.:proxy $(VENV)/python

.DEFAULT_GOAL := help
# A run starts hundreds of interpreters; without its compiled files each would compile Django anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup demo up down workshop test test-parts test-system test-services mysql check pictures bench-split bench-growth bench-proxy bench-trace bench-workshop bench-compare-null compare engines faults sweep model mutants fuzz soak third-party clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "%-12s %s\n", $$1, $$2}'

demo: setup ## extract reviews under load, take it back, extract it again (RECORD=1 keeps the record)
	@RECORD=$(RECORD) $(RUN) -m strangler.workshop demo

up: setup ## start Orchard behind the proxy, and keep it running
	@$(RUN) -m strangler.workshop up

down: setup ## stop it; its data stays
	@$(RUN) -m strangler.workshop down

workshop: setup ## learn it step by step, in a folder of your own below .run/workshop (docs/workshop.md)
	@$(RUN) -m strangler workshop start

test: setup ## all tests
	@$(MAKE) --no-print-directory -j 2 --output-sync=target test-parts test-system

test-parts:
	$(VENV)/python -m pytest -n 3 --dist worksteal --ignore tests/acceptance

test-system: test-services # one at a time, which waits more than it works: there is room for it beside the parts
	$(VENV)/python -m pytest tests/acceptance

test-services:
	$(RUN) -m strangler.deploy.postgres -- sh -c 'cd extracted/reviews && REVIEWS_DATABASE_URL=$$POSTGRES_URL ../../$(VENV)/python -m pytest'
	$(RUN) -m strangler.deploy.postgres -- sh -c 'cd extracted/notifications && NOTIFICATIONS_DATABASE_URL=$$POSTGRES_URL ../../$(VENV)/python -m pytest'
	cd proxy && ../.venv-proxy/bin/python -m pytest

mysql: setup ## the tests of MySQL, on one that is fetched from Debian's unstable
	@test -x .run/mysql/mysqld || .ci/mysqld .run/mysql
	STRANGLER_MYSQLD=$(CURDIR)/.run/mysql/mysqld $(VENV)/python -m pytest -n 2 -k mysql tests/integration

check: setup ## ruff, types, import contracts, templates, migrations
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	PYTHONPATH=.:proxy $(VENV)/lint-imports
	$(VENV)/djlint --lint --quiet monolith
	$(RUN) manage.py makemigrations --check --dry-run
	$(RUN) manage.py checkplans

pictures: setup ## the docs' pictures of pages, anew (needs Chromium)
	PICTURES=$(CURDIR)/docs/pictures $(VENV)/python -m pytest -q tests/acceptance/test_pictures.py

bench-split: setup ## copy, verification and the switch, beside their references
	@$(RUN) tests/benchmarks/bench_split.py
	@$(RUN) tests/benchmarks/bench_engines.py

bench-growth: setup ## the split from 100,000 to 10,000,000 rows, into docs/growth.md and docs/growth.svg (ROWS="1000,...")
	@$(RUN) tests/benchmarks/bench_growth.py --docs docs $(if $(ROWS),--rows $(ROWS))

bench-proxy: setup ## the proxy beside stock mitmdump, faster engines beside themselves
	@$(RUN) tests/benchmarks/bench_proxy.py

bench-trace: setup ## what a trace costs Orchard's requests
	@$(RUN) tests/benchmarks/bench_trace.py

bench-map: setup ## the map of 100,000 to 700,000 lines of real code, cold and warm, beside grimp; its page in Chromium; into docs/map-growth.svg
	@$(RUN) tests/benchmarks/bench_map.py --docs docs

bench-workshop: setup ## the whole workshop by its texts and solutions, each answer compared, with times (STEPS="7 8" for some)
	@$(RUN) tests/benchmarks/bench_workshop.py $(STEPS)

compare: setup ## monolith, modular monolith and services under the same load, into .run/comparison.html (QUICK=1, ARMS="...", SEED=1)
	@$(RUN) -m strangler compare $(if $(QUICK),--quick) $(if $(ARMS),--arms $(ARMS)) $(if $(SEED),--seed $(SEED))

bench-compare-null: setup ## the comparison itself: the monolith against itself, and against itself with 10 ms more on one route
	@$(RUN) -m strangler compare --null $(if $(SEED),--seed $(SEED)) --report .run/comparison-null.html

engines: setup ## the same cases on every live engine, counted in docs/engines.md (ENGINES="mitmproxy" for some, written nowhere)
	@$(RUN) -m tests.conformance $(ENGINES)

faults: setup ## seeded faults: SEEDS=1000 of them, FROM=1 on, or SEED=7 alone with its trace (CAPTURE=log)
	@$(RUN) -m tests.faults $(if $(SEED),--seed $(SEED) --trace,--seeds $(or $(SEEDS),100) --from $(or $(FROM),1)) \
		$(if $(CAPTURE),--capture $(CAPTURE))

sweep: setup ## a process dies, or a server, at every boundary of every verb in turn (STEP=10: at every tenth)
	@$(RUN) -m tests.faults.sweep $(STEP)

mutants: setup ## take the guards of the protocol away one at a time: each must be noticed (NAMES="one" for some)
	@$(RUN) -m tests.faults.mutants $(NAMES)

model: ## the protocol in spin, at the large bound, and its broken variants (needs spin and gcc)
	@$(PYTHON) tests/model/run.py --bound large

fuzz: setup ## REQUESTS=100000 drawn and mutated ones through ENGINE=mitmproxy, from a seed that it prints (SEED=7 again; MUTANTS=1 without its guards)
	@$(RUN) -m tests.fuzz --requests $(or $(REQUESTS),100000) --engine $(or $(ENGINE),mitmproxy) $(if $(SEED),--seed $(SEED)) \
		$(if $(MUTANTS),--mutants)

third-party: setup ## map real projects from the package index, and compare with docs/third-party.md (NAMES="weblate" for some, RENEW=1 keeps what is found)
	@$(RUN) -m tests.third_party $(NAMES) $(if $(RENEW),--renew)

soak: setup ## switch and reverse again and again under load and faults, for MINUTES=1
	@$(RUN) -m tests.faults.soak $(or $(MINUTES),1)

clean: ## remove the environments and all running data; "make down" first
	rm -rf .venv .venv-proxy .run

setup: .venv/.ready .venv-proxy/.ready

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python %d.%d is too old: django-strangler needs 3.11 or newer; set PYTHON=python3.11, say" % sys.version_info[:2])'
	@$(PYTHON) -m venv .venv
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check "$$(grep -o '^uv==[0-9.]*' requirements/dev.txt)"

.venv/.ready: requirements/dev.txt | .venv/bin/uv
	@echo "setting up .venv"
	@$(VENV)/uv pip sync --quiet --python .venv/bin/python requirements/dev.txt
	@touch $@

.venv-proxy/.ready: requirements/proxy.txt | .venv/.ready
	@echo "setting up .venv-proxy"
	@test -x .venv-proxy/bin/python || $(VENV)/python -m venv --without-pip .venv-proxy
	@$(VENV)/uv pip sync --quiet --python .venv-proxy/bin/python requirements/proxy.txt
	@touch $@
