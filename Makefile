# SciQLOP Pipe. `make` alone lists what there is. No target needs root.
#
#   PYTHON=python3.12   the interpreter of the environment (default: the first that is new enough)
#   VENV=.venv-3.12     another environment beside .venv
#   EFFORT=short        with test-long: a short run with a fixed seed
#   JOBS=4              with test and test-system: processes that share the suite
#   COVERAGE=1          with test: say which lines no test of the quick suite reaches (fast from Python 3.12 on)

VENV   ?= .venv
PYTHON ?=
EFFORT ?= full
JOBS   ?= 2
COVERAGE ?=
EXTRAS := detect,plot,speasy,flows,dash,slurm,ssh,kubernetes,ops,serve,catalogs,postgres,s3,docs,test,dev

PY     := $(VENV)/bin/python
STAMP  := $(VENV)/.installed
PLUGIN := $(VENV)/.plugin-installed
UV     := $(shell command -v uv 2>/dev/null)

export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Prints the real path of the first interpreter that runs and is new enough.
FIND_PYTHON = for p in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	"$$p" -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)' 2>/dev/null && break; done

.DEFAULT_GOAL := help
.PHONY: help install demo test test-system test-long lint types bench accuracy gallery docs constraints clean clean-all

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(STAMP)  ## install everything into .venv (with uv if it is there)

# A PYTHON that is asked for by name and is not the environment's makes the environment anew.
ifneq ($(PYTHON),)
ifneq ($(wildcard $(STAMP)),)
ifneq ($(shell $(PYTHON) -c 'import sys; print(sys.version)' 2>/dev/null),$(shell $(PY) -c 'import sys; print(sys.version)' 2>/dev/null))
.PHONY: $(STAMP)
endif
endif
endif

$(STAMP): pyproject.toml setup.py constraints.txt
	@python="$$($(FIND_PYTHON))"; \
	if [ -z "$$python" ]; then \
		echo "SciQLOP Pipe needs Python 3.11 or newer; tried: $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python)." >&2; \
		echo "Install one, or name it: make install PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi; \
	if [ -x $(PY) ] && { [ -z "$(PYTHON)" ] || [ "$$($(PY) -c 'import sys; print(sys.version)')" = "$$("$$python" -c 'import sys; print(sys.version)')" ]; } \
		&& $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo "reusing $(VENV) ($$($(PY) --version))"; \
	else \
		echo "making $(VENV) with $$("$$python" --version) ($$python)"; \
		rm -rf $(VENV); \
		if [ -n "$(UV)" ]; then "$(UV)" venv -q --python "$$python" $(VENV); \
		else "$$python" -m venv $(VENV) || { \
			rm -rf $(VENV); echo "python -m venv failed: install the venv module (Debian: python3-venv), or uv" >&2; exit 1; }; fi; \
	fi
	@echo "installing sciqlop-pipe[$(EXTRAS)] into $(VENV) with $(if $(UV),uv,pip); a first time takes some minutes"
ifneq ($(UV),)
	@"$(UV)" pip install -q --python $(PY) -c constraints.txt -e ".[$(EXTRAS)]"
else
	@$(PY) -c 'import pip' 2>/dev/null || $(PY) -m ensurepip >/dev/null
	@PYTHONWARNINGS=ignore $(PY) -m pip install -q --no-compile -c constraints.txt -e ".[$(EXTRAS)]"
endif
# Compiled once here, or every command pays for it where PYTHONDONTWRITEBYTECODE is set.
	@$(PY) -m compileall -qq -j 0 -x '[/]tests?[/]' "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" || true
	@touch $(STAMP)

# The third-party mission that the tests find through its entry point.
$(PLUGIN): tests/plugin/pyproject.toml $(STAMP)
	@$(if $(UV),true,$(PY) -c 'import pip' 2>/dev/null || $(PY) -m ensurepip >/dev/null)  # an environment of uv's has none
	@$(if $(UV),"$(UV)" pip install -q --python $(PY),$(PY) -m pip install -q) --no-deps -e tests/plugin
	@touch $(PLUGIN)

demo: install  ## the main job on a simulated mission, from raw files to a table and a picture
	@$(PY) -m sciqlop_missions.sim.demo

# Or each of some hundred processes compiles every module again where it is set.
test test-system test-long: export PYTHONDONTWRITEBYTECODE :=

# Python's own monitoring costs a tenth of tracing; 3.11 has none.
CORE = $(shell $(PY) -c 'import sys; print("sysmon" if sys.version_info >= (3, 12) else "ctrace")')

test: install $(PLUGIN)  ## the quick suite
	@COVERAGE_CORE=$(CORE) $(PY) -m pytest -q -n $(JOBS) --dist loadfile $(if $(COVERAGE),--cov --cov-report=)
	@[ -z "$(COVERAGE)" ] || { echo "least covered by the quick suite:"; \
		$(PY) -m coverage report --sort=cover | sed -n '1,17p;/^TOTAL/p'; }

# 5 is pytest's word for "nothing selected".
test-system: install  ## tests against heavier real parts; each skips with a reason where its part is absent
	@$(PY) -m pytest -q -m system -n $(JOBS) --dist loadfile || [ $$? -eq 5 ]

test-long: install  ## chaos, scale and fuzz runs (EFFORT=short for a short seeded version)
	@SCIQLOP_PIPE_EFFORT=$(EFFORT) $(PY) -m pytest -q -m long || [ $$? -eq 5 ]

lint: install  ## ruff and the arrows between modules
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports

# mypy reads no package-dir mapping: it sees missions/ under its import name through a link.
types: install  ## mypy
	@mkdir -p .mypy_path && ln -sfn ../missions .mypy_path/sciqlop_missions
	@$(VENV)/bin/mypy

bench: install  ## particle products beside their peers, kept in benchmarks/RESULTS.md
	@$(PY) benchmarks/run.py --write

accuracy: install  ## every product against analytic plasmas, into docs/accuracy.md
	@$(PY) -m benchmarks.accuracy

gallery: install  ## a picture of every product, into docs/gallery.md (needs ../shared/data)
	@$(PY) docs/make_gallery.py

# Tutorials run as they are built; those on real files need the folder that SCIQLOP_PIPE_TEST_DATA names.
docs: install  ## the site, into docs/_build/html; notebooks run, warnings are errors
	@PATH="$(abspath $(VENV))/bin:$$PATH" SCIQLOP_PIPE_TEST_DATA="$${SCIQLOP_PIPE_TEST_DATA:-$(abspath ../shared/data)}" \
		$(VENV)/bin/sphinx-build -q -W --keep-going -b html docs docs/_build/html

constraints:  ## resolve the newest versions again (needs uv)
	@test -n "$(UV)" || { echo "make constraints needs uv" >&2; exit 1; }
	@{ sed -n '/^#/p' constraints.txt; \
	"$(UV)" pip compile -q --universal --python-version 3.11 --no-header --no-annotate \
		$(foreach extra,$(subst $(comma), ,$(EXTRAS)) peers,--extra $(extra)) pyproject.toml; } > constraints.new
	@mv constraints.new constraints.txt

clean:  ## remove what tests and tools left; the environment stays
	@rm -rf build dist .mypy_path .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache *.egg-info tests/plugin/src/*.egg-info
	@find sciqlop_pipe missions tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

clean-all: clean  ## also remove .venv and its siblings
	@rm -rf .venv .venv-*

comma := ,
