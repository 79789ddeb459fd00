# Needs python3 (3.11 or newer, with venv), git and make; everything else goes into .venv.
.DEFAULT_GOAL := help
.NOTPARALLEL:

demo: .venv/ready   ## run a whole round on sample data
	.venv/bin/behov demo

test: .venv/ready   ## run the tests
	.venv/bin/pytest --numprocesses auto --dist loadfile

# The tests come last, so that the output ends with their summary.
check: lint try-demo test   ## what CI runs: format, lint, types, the demo, the tests

# By itself, since tracing every line makes the tests take twice the time.
coverage: export PYTEST_ADDOPTS = --cov
coverage: test   ## run the tests and list the lines that none of them reaches

lint: .venv/ready
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy .

try-demo: .venv/ready
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && .venv/bin/behov demo "$$dir/demo"

# Needs npm besides; LibreOffice with python3-uno and Gnumeric are Debian packages.
programs: tests/programs/.venv/ready tests/programs/node_modules/ready   ## get the programs that tests fill workbooks with

tests/programs/.venv/ready: tests/programs/requirements.txt
	python3 -m venv --upgrade-deps $(@D)
	$(@D)/bin/pip install --quiet --requirement $<
	touch $@

tests/programs/node_modules/ready: tests/programs/package-lock.json
	npm ci --prefix $(<D) --loglevel=error --no-audit --no-fund
	touch $@

rules-doc: .venv/ready   ## write docs/rules.md anew from the rules
	.venv/bin/behov form rules behovsmelding-2024 --markdown > docs/rules.md

help:   ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# pip is upgraded first: the one Debian ships does not know --group.
.venv/ready: pyproject.toml constraints.txt
	python3 -m venv --upgrade-deps .venv
	.venv/bin/pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@

.PHONY: demo test check coverage lint try-demo programs rules-doc help
