# Needs Python 3.11 or newer and make, nothing else: every target sets up what it uses.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.DEFAULT_GOAL := help
.PHONY: home-assistant aarch64 crate checker help demo test lint bench fold-speed storage late-pulses two-million-reads coverage corrections strange-rigs random-recordings noise-of-means kills alarms real-time ten-days nights random-moments random-moments-virtual-pi power-cuts attack publish-kills ten-rigs virtual-pi test-virtual-pi docs-pictures install uninstall lock clean loop evidence-sweep six-hours-verified fuzzed-packages foreign-balances compilers forecasts reports page-viewers

help:
	@echo "make demo    a whole six-hour test on the simulated rig, in seconds"
	@echo "make test    ruff, mypy and pytest"
	@echo "make wheel   a wheel, installed in an environment of its own: demo, replay and verify from it"
	@echo "make man     the manual page, from the commands' own help, into out/"
	@echo "make bench   speed, storage, late pulses, two million reads: written into docs/benchmarks.md (needs a C compiler)"
	@echo "make coverage a thousand simulated rigs, calibrated and tested: is the truth in the interval? (half an hour)"
	@echo "make forecasts       how often a running test's forecast holds what it says (minutes)"
	@echo "make page-viewers    20 viewers for ten minutes, and a week of looks: seconds missed, memory (hours)"
	@echo "make reports         reports of all scenarios as HTML, PDF and pictures in build/reports, validated (minutes)"
	@echo "make corrections     what each correction is worth: the same rigs judged with one of them off at a time"
	@echo "make strange-rigs    rigs whose physics the software does not assume: is the truth in the interval? (hours)"
	@echo "make random-recordings random recordings by balances that the software does not know: is a verdict wrong? (minutes)"
	@echo "make noise-of-means  white noise, noise with a memory, drift: is a mean inside its interval? (seconds)"
	@echo "make kills           a thousand SIGKILLs through simulated tests (a quarter of an hour)"
	@echo "make alarms          a thousand faults: how soon is each an alarm, and the relay open"
	@echo "make real-time       processor, memory and start of the station in real time, on chip models"
	@echo "make loop            the loop that measures, in storms of requests and on a disk that stalls"
	@echo "make evidence-sweep  each byte of a package changed in turn: written into docs/evidence.md (minutes)"
	@echo "make six-hours-verified  what verify and export of a long run take: written into docs/evidence.md (minutes)"
	@echo "make fuzzed-packages  thousands of packages of somebody who means harm: none is believed (an hour)"
	@echo "make foreign-balances our balance drivers on somebody else's simulator, their clients on our models (needs a network)"
	@echo "make checker         two opinions on 200 good and bad packages: written into docs/evidence.md (minutes)"
	@echo "make crate           a package's metadata against the RO-Crate community's own validator (needs a network once)"
	@echo "make aarch64         the same bits on aarch64 by user emulation: written into docs/evidence.md (needs Debian once)"
	@echo "make compilers       fold and codecs on every numba that is allowed, and without one: the same bits (needs a network)"
	@echo "make ten-days        ten simulated days through one station: are memory and files flat"
	@echo "make nights          every shipped night, five seeds, both bridges: which verdicts come of it (an hour)"
	@echo "make ten-rigs        ten stations, one broker, one subscriber; brokers that misbehave (needs mosquitto)"
	@echo "make publish-kills   a publisher that is killed 200 times, a Mosquitto that goes and comes (needs mosquitto)"
	@echo "make attack          hostile files, databases, starts and lines: written into docs/security.md (hours)"
	@echo "make random-moments  200 restarts, power cuts and brown-outs at random moments (half an hour)"
	@echo "make random-moments-virtual-pi  20 of them on a virtual Pi, where a cut kills the machine (25 minutes)"
	@echo "make power-cuts      the virtual Pi is killed 200 times through simulated tests (half an hour)"
	@echo "make virtual-pi       a Linux with a Pi's buses and pins, built once outside the repository (needs Debian)"
	@echo "make test-virtual-pi  the real bus libraries on its device nodes, with our chips at the other end"
	@echo "make test-page       the page in a real Chromium: pictures, axe-core, valid HTML, no foreign address, grey when lost"
	@echo "make home-assistant  a real Home Assistant (its own environment) finds a rig and holds what it says"
	@echo "make docs-pictures    draw docs/layers.svg and docs/phases.svg from the code, write the JSON Schemas; with Chromium, README's pictures"
	@echo "sudo make install     onto a Pi: /opt/halfpercent, units, example settings; again to upgrade (docs/install.md)"
	@echo "sudo make uninstall   takes that away and leaves settings and data"
	@echo "make lock    pin the dependencies again (needs uv)"
	@echo "make clean   remove the virtual environment and caches"

# The lock file has two parts: what the instrument runs on, and below the marker what only its checks need.
MARKER := \# --- development ---

$(VENV)/run.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "halfpercent needs Python 3.11 or newer; '$(PYTHON)' is older: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@sed '/^$(MARKER)/,$$d' requirements.lock > $(VENV)/run.lock
	@$(PIP) install --no-deps --require-hashes -r $(VENV)/run.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@touch $@

.PHONY: man wheel
man: $(VENV)/run.stamp
	@mkdir -p out && $(BIN)/halfpercent man > out/halfpercent.1 && echo "out/halfpercent.1: man -l out/halfpercent.1"

# A wheel in an environment of its own, as pipx or uv tool would install it.
wheel: $(VENV)/run.stamp
	@rm -rf out/wheel && mkdir -p out/wheel
	@$(PIP) wheel --no-deps --no-build-isolation -w out/wheel .
	@$(PYTHON) -m venv out/wheel/env
	@out/wheel/env/bin/python -m pip --disable-pip-version-check -qq install --no-deps --require-hashes -r $(VENV)/run.lock
	@out/wheel/env/bin/python -m pip --disable-pip-version-check -qq install --no-deps out/wheel/*.whl
	@cd out/wheel && env/bin/halfpercent demo --out demo && \
	  env/bin/halfpercent replay $(CURDIR)/docs/first-recording.csv --declare u_mass_g=0.002 && \
	  { env/bin/halfpercent verify last --db demo/halfpercent.db || [ $$? -eq 4 ]; }  # 4: unsigned, for it has no key

demo: $(VENV)/run.stamp
	@$(BIN)/halfpercent demo --out out/demo

# One worker more than there are processors: some tests wait for a clock, a disk or another program.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
# What is compiled is kept in the environment's folder: each worker, and each command that a test starts, has it at once.
test: $(VENV)/dev.stamp lint
	PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(abspath $(VENV))/pycache \
	  $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# A bench measures and writes its section of docs/benchmarks.md or docs/reliability.md; ARGS="--rigs 100" for fewer.
BENCH = PYTHONPATH=tests/helpers $(BIN)/python tests/bench/$(1).py --write $(ARGS)

bench: fold-speed storage late-pulses two-million-reads

fold-speed: $(VENV)/dev.stamp
	$(call BENCH,fold_speed)

storage: $(VENV)/dev.stamp
	$(call BENCH,storage)

late-pulses: $(VENV)/dev.stamp
	$(call BENCH,late_pulses)

two-million-reads: $(VENV)/dev.stamp
	$(call BENCH,two_million_reads)

coverage: $(VENV)/dev.stamp
	$(call BENCH,thousand_rigs)

page-viewers: $(VENV)/dev.stamp
	$(call BENCH,page_viewers)

reports: $(VENV)/dev.stamp
	$(call BENCH,reports)

noise-of-means: $(VENV)/dev.stamp
	$(call BENCH,noise_of_means)

forecasts: $(VENV)/dev.stamp
	$(call BENCH,forecasts)

corrections: $(VENV)/dev.stamp
	$(call BENCH,corrections)

random-recordings: $(VENV)/dev.stamp
	$(call BENCH,random_recordings)

strange-rigs: $(VENV)/dev.stamp
	$(call BENCH,strange_rigs)

kills: $(VENV)/dev.stamp
	$(call BENCH,thousand_kills)

alarms: $(VENV)/dev.stamp
	$(call BENCH,alarm_latency)

real-time: $(VENV)/dev.stamp
	$(call BENCH,real_time)

loop: $(VENV)/dev.stamp
	$(call BENCH,loop_storm)

# Prints; writes no page.
foreign-balances: $(VENV)/dev.stamp
	PYTHONPATH=tests/helpers:. $(BIN)/python tests/bench/foreign_balances.py $(ARGS)

evidence-sweep: $(VENV)/dev.stamp
	$(call BENCH,evidence_sweep)

six-hours-verified: $(VENV)/dev.stamp
	$(call BENCH,six_hours_verified)

# Prints; writes no page.
fuzzed-packages: $(VENV)/dev.stamp
	PYTHONPATH=tests/helpers:. $(BIN)/python tests/bench/fuzzed_packages.py $(ARGS)

checker: $(VENV)/dev.stamp
	$(call BENCH,checker_agrees)

# Prints; writes no page.
crate: $(VENV)/dev.stamp
	PYTHONPATH=tests/helpers:. $(BIN)/python tests/bench/crate_validator.py $(ARGS)

aarch64: $(VENV)/dev.stamp
	$(call BENCH,aarch64)

compilers: $(VENV)/dev.stamp
	$(call BENCH,compilers)

ten-days: $(VENV)/dev.stamp
	$(call BENCH,ten_days)

nights: $(VENV)/dev.stamp
	$(call BENCH,nights)

random-moments: $(VENV)/dev.stamp
	$(call BENCH,random_moments)

# Twenty take 25 minutes on two idle cores. ARGS="--minutes 10 --keep FILE" does some, and goes on from them.
random-moments-virtual-pi: $(VENV)/dev.stamp virtual-pi
	PYTHONPATH=tests:tests/helpers:tests/bench:. $(BIN)/python -m virtualpi.moments --write $(ARGS)

power-cuts: $(VENV)/dev.stamp virtual-pi
	PYTHONPATH=tests:tests/helpers $(BIN)/python -m virtualpi.powercuts

attack: $(VENV)/dev.stamp
	$(call BENCH,attack)

publish-kills: $(VENV)/dev.stamp
	$(call BENCH,publish_kills)

# Eleven minutes, and 2 GB of memory.
ten-rigs: $(VENV)/dev.stamp
	$(call BENCH,ten_rigs)

virtual-pi:
	@PYTHONPATH=tests $(PYTHON) -m virtualpi.build

test-virtual-pi: $(VENV)/dev.stamp virtual-pi
	$(BIN)/python -m pytest tests/virtualpi -s

# The page's first evening at the page's own pace, on both bridges at once: three and a half minutes.
evening: $(VENV)/dev.stamp
	HALFPERCENT_TEST_SPEED=60 $(BIN)/python -m pytest -n 2 tests/test_typed_commands.py -k evening

# Needs Chromium, npm and a network: its tools go into a scratch folder outside the repository.
.PHONY: test-page evening
test-page: $(VENV)/dev.stamp
	@sh tests/helpers/test_page.sh $(BIN)/python

# Needs Python 3.13, Mosquitto and a network: Home Assistant goes into a scratch folder outside the repository.
home-assistant: $(VENV)/dev.stamp
	@THEIRS='$(or $(THEIRS),python3.13)' sh tests/helpers/home_assistant.sh $(BIN)/python

docs-pictures: $(VENV)/dev.stamp
	PYTHONPATH=. $(BIN)/python docs/draw_pictures.py
	PYTHONPATH=. $(BIN)/python docs/draw_screens.py

# PREFIX, DESTDIR, WHEELS, PYTHON: see the script.
install uninstall:
	@sh systemd/install.sh $@

# What Blinka asks for and never imports on a Pi's own buses: USB bridges, and sockets (docs/decisions/). So the lock is
# whole without, and is installed with --no-deps; tests/packaging/test_lock.py holds that nothing else lacks.
LEFT_OUT := adafruit-circuitpython-connectionmanager adafruit-circuitpython-requests binho-host-adapter pyftdi pyusb sysv-ipc

EXTRAS := --extra pi --extra gauge --extra build --extra balance --extra web --extra fleet --extra seal

lock:
	@tools='uv pip compile --quiet --universal -p 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links'; \
	$$tools $(EXTRAS) pyproject.toml -o run.lock && \
	$$tools $(EXTRAS) --extra pdf --extra dev pyproject.toml -c run.lock -o all.lock && \
	$(PYTHON) -c "import re,sys; from pathlib import Path; \
	  split=lambda f: [p for p in re.split(r'\n(?=\S)', Path(f).read_text().strip()) if p.split('==')[0] not in '$(LEFT_OUT)'.split()]; \
	  run=split('run.lock'); \
	  names={p.split('==')[0] for p in run}; dev=[p for p in split('all.lock') if p.split('==')[0] not in names]; \
	  Path('requirements.lock').write_text('\n'.join([*run, '# --- development ---', *dev, '']))"; \
	rm -f run.lock all.lock

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
