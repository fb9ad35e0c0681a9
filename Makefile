# make setup   everything a developer needs, into .venv
# make demo    the whole way, on recordings that come with dlwa
# make test    linters, then the tests in three speeds; what CI runs
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PYTEST := $(RUN) -m pytest -p no:cacheprovider
STAMP := $(VENV)/dlwa-developer
LOCK := dlwa/constraints.txt
DEMO_MODEL := models/ddsp/demo/violin

.PHONY: setup demo test lint unit ddsp integration bench bench-pitch bench-playing bench-datasets docs figures lock system

setup: $(STAMP)

$(STAMP): pyproject.toml $(LOCK)
	$(PYTHON) dlwa.py --version
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-input -c $(LOCK) -e '.[ddsp,beam,nsynth,studio,live,dev]'
	echo ddsp,studio,live > $(VENV)/dlwa-extras
	touch $@

demo:
	$(PYTHON) dlwa.py demo --yes

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

unit: setup
	$(PYTEST) -m "not ddsp and not integration" -q

ddsp: setup
	$(PYTEST) -m "ddsp and not integration" -q

integration: setup system
	$(PYTEST) -m integration -q

# One pytest process for all three speeds, so that the last line counts every test.
test: setup system lint
	$(PYTEST) -q

# GNU screen and the other real programs the integration tests talk to.
system:
	bash .ci/system

bench: setup
	$(RUN) benchmarks/startup.py
	$(RUN) benchmarks/transfer.py
	$(RUN) benchmarks/looking.py
	$(RUN) -m benchmarks.import_time
	$(RUN) -m benchmarks.harmonic
	$(MAKE) --no-print-directory bench-playing

# What a musician waits for, with the demo's model, which is trained if it is not there (minutes).
bench-playing: setup $(DEMO_MODEL)
	$(RUN) -m benchmarks.playing --model_dir=$(DEMO_MODEL)

$(DEMO_MODEL):
	$(PYTHON) dlwa.py demo --yes

# Data sets of a quarter of an hour: first, again, with one more recording.
bench-datasets: setup system
	$(RUN) -m benchmarks.datasets --hours 2

# Pitch trackers on five instruments whose notes are known; needs FluidSynth, takes minutes.
bench-pitch: setup system
	$(RUN) -m benchmarks.pitch --rounds 2

# Reference pages written from the commands themselves, and from trying where each op runs (2 min).
docs: setup
	$(RUN) -m tests.reference_page > docs/reference/commands.md
	$(RUN) -m benchmarks.where_it_runs > docs/reference/where-it-runs.md.new
	mv docs/reference/where-it-runs.md.new docs/reference/where-it-runs.md
	$(RUN) pd/draw_patch.py > pd/timbre_transfer.pd

# The five figures of docs/explanation/synthesizer.md, drawn from what the synthesizer plays.
figures: setup
	$(RUN) -m benchmarks.figures

# The versions dlwa is tested with, for every system at once. Needs uv.
lock:
	@(printf '%s\n' \
	  '# The versions dlwa is tested with, for Python 3.11 to 3.13 on Linux, macOS and Windows.' \
	  '# Made by `make lock` from pyproject.toml; do not edit by hand.' && \
	  uv pip compile --universal --python-version 3.11 pyproject.toml \
	  --extra ddsp --extra ddsp-gpu --extra fast-pitch --extra beam --extra nsynth --extra studio --extra live --extra dev \
	  --no-header --no-emit-index-url --no-emit-find-links --no-annotate --quiet) > $(LOCK).new
	mv $(LOCK).new $(LOCK)
