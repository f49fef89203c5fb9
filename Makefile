# Short names for the scripts in tools/. Variables of the environment (AIM_STATE_DIR, BUSINESS_API_PORT, …) hold for all of them.
STATE := $(or $(AIM_STATE_DIR),var)

.PHONY: up down logs test lint migrate seed bench build clean
.DEFAULT_GOAL := build

up: ## install, build, start everything, wait; Ctrl-C stops it
	@tools/run.sh

down: ## stop the one that `make up` or tools/run.sh started
	@tools/run.sh --stop

logs:
	@tail -n 100 -F "$(STATE)"/log/*.log

test:
	@tools/test.sh

lint:
	@tools/lint.sh

migrate:
	@tools/migrate.sh --migrate-only

seed:
	@tools/migrate.sh --seed-only

bench:
	@tools/bench.sh

build: ## the release that tools/run.sh starts
	@tools/build.sh release

clean: ## the builds; data in $(STATE) stays
	@rm -rf build
