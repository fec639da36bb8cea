#!/bin/sh
# The page of a running simulated station in a real Chromium: pictures, axe-core, and the browser's network log.
#     make test-page
# Its tools (playwright, axe-core) go into a scratch folder outside the repository. It ends only what it started.
set -eu
PYTHON=$1
SCRATCH=${SCRATCH:-${TMPDIR:-/tmp}/halfpercent-page}
PORT=${PORT:-8127}
mkdir -p "$SCRATCH"
if [ ! -x "$SCRATCH/tools/bin/python" ]; then
    "$PYTHON" -m venv "$SCRATCH/tools"
    "$SCRATCH/tools/bin/python" -m pip -qq install playwright
fi
[ -d "$SCRATCH/node_modules/axe-core" ] || npm install --silent --prefix "$SCRATCH" axe-core
[ -d "$SCRATCH/node_modules/html-validate" ] || npm install --silent --prefix "$SCRATCH" html-validate
CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "no Chromium here: sudo apt-get install chromium" >&2
    exit 1
}
RIG=$(mktemp -d)
STATION='' PAGE=''
trap 'for p in $PAGE $STATION; do kill "$p" 2> /dev/null || :; done; wait; rm -rf "$RIG"' EXIT
say() { "$PYTHON" -m edge "$@" --socket "$RIG/s" 2> /dev/null; }
"$PYTHON" -m edge station --simulate --scenario borderline --seed 2 --speed 200 --folder "$RIG/db" --socket "$RIG/s" &
STATION=$!
for _ in $(seq 120); do say status > /dev/null && break; sleep 0.5; done
"$PYTHON" -m edge web --db "$RIG/db/halfpercent.db" --socket "$RIG/s" --port "$PORT" --token-file "$RIG/token" --make-token &
PAGE=$!
say start --sample "QT-2611-07 固态 <script>alert(1)</script>" --operator "操作员 B" --claim solid-state > /dev/null
say tare
sleep 2
say load
# Every page as it is served, by the standard's rules alone: what a house rule of the validator wants is not asked.
mkdir -p "$SCRATCH/html"
printf '{"root": true, "extends": ["html-validate:standard"]}\n' > "$SCRATCH/html/.htmlvalidate.json"
curl -s -o /dev/null --cookie-jar "$RIG/jar" -H "Origin: http://127.0.0.1:$PORT" \
    --data-urlencode operator=Ada --data-urlencode "token=$(cat "$RIG/token")" "http://127.0.0.1:$PORT/sign-in"
for p in / /runs /runs/1 /calibration /rig /sign-in /note /abort /new; do
    for l in en zh; do
        f="$SCRATCH/html/$(echo "now$p" | tr / -)-$l.html"
        curl -s --location --cookie "$RIG/jar" --cookie "halfpercent-language=$l" "http://127.0.0.1:$PORT$p" > "$f"
    done
done
"$SCRATCH/node_modules/.bin/html-validate" "$SCRATCH/html"/*.html
# Into the hold, however busy the machine is: then the curve is to move, and the page is drawn while the test runs.
in_hold() { say status --json | "$PYTHON" -c 'import json, sys; sys.exit(json.load(sys.stdin)["run"]["hold_s"] < 3600.0)'; }
for _ in $(seq 240); do in_hold 2> /dev/null && break; sleep 1; done
in_hold || { echo "the test never came into its hold" >&2; exit 1; }
"$SCRATCH/tools/bin/python" tests/helpers/page_shots.py "http://127.0.0.1:$PORT" / /runs /calibration /rig /sign-in \
    --axe "$SCRATCH/node_modules/axe-core/axe.min.js" --chromium "$CHROMIUM" --out "$SCRATCH/pictures" --stop "$PAGE"
echo "pictures: $SCRATCH/pictures"
