#!/bin/sh
# A real Home Assistant that finds a rig: in an environment of its own, in a scratch folder outside the repository.
#     make home-assistant
set -eu
PYTHON=$1
SCRATCH=${SCRATCH:-${TMPDIR:-/tmp}/halfpercent-home-assistant}
THEIRS=${THEIRS:-python3.13}
if [ ! -x "$SCRATCH/bin/hass" ]; then
    "$THEIRS" --version > /dev/null 2>&1 || {
        echo "Home Assistant needs Python 3.13: name one, make home-assistant THEIRS=/path/to/python3.13" >&2
        exit 1
    }
    mkdir -p "$SCRATCH"
    "$THEIRS" -m venv "$SCRATCH"
    "$SCRATCH/bin/python" -m pip -qq install 'homeassistant==2025.4.4' 'paho-mqtt==2.1.0'
fi
HOME_ASSISTANT_PYTHON="$SCRATCH/bin/python" PYTHONPATH=tests/helpers:tests/bench "$PYTHON" tests/bench/home_assistant.py --write
