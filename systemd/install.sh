#!/bin/sh
# Installs the instrument on 64-bit Raspberry Pi OS or Debian, or takes it away again:
#     sudo make install | sudo make uninstall
# Running it again is the upgrade. It never writes what is a person's: config.txt of the Pi, and, once they are there,
# /etc/halfpercent and /var/lib/halfpercent; and it touches no account, unit or command of that name that is another's.
#
# The new environment is built, filled, compiled and tried in a folder of its own, PREFIX.envs/DATE, while the old one
# runs on. PREFIX is a link to the one in use: the swap is one rename of a link, and the old one is kept until the
# service is up and ready. Whenever this ends, also by a power cut, either the old or the new one is in use, whole.
#
# From the environment:
#   PYTHON   what the virtual environment is made with (python3)
#   PREFIX   where it goes (/opt/halfpercent)
#   WHEELS   a folder with the locked packages, for a Pi without a network
#   LOCK     another list of packages than requirements.lock
#   FORCE    yes: also while a test is being measured, or where nobody knows
#   READY_S  how long the new version may take until it measures (120); else the old one is put back
#   DESTDIR  a folder that stands for /: files are put there, and nothing of this machine is touched
set -eu
umask 022

PYTHON=${PYTHON:-python3}
PREFIX=${PREFIX:-/opt/halfpercent}
WHEELS=${WHEELS:-}
DESTDIR=${DESTDIR:-}
FORCE=${FORCE:-}
READY_S=${READY_S:-120}
SOURCE=$(cd "$(dirname "$0")/.." && pwd)
LOCK=${LOCK:-$SOURCE/requirements.lock}

NAME=halfpercent
UNITS="halfpercent.service halfpercent-failed.service halfpercent-publish.service halfpercent-escalate.service halfpercent-web.service"
LIB=$DESTDIR/usr/local/lib
SYSTEM=$LIB/systemd/system
COMMAND=$DESTDIR/usr/local/bin/$NAME
ETC=$DESTDIR/etc/$NAME
CACHE=/var/cache/$NAME
TARGET=$DESTDIR$PREFIX
ENVS=$TARGET.envs
NEW=
OLD=
MARK="# Of halfpercent: make install writes this file."

say() { printf '%s\n' "$*"; }
stop() { printf '%s: %s\n' "$NAME" "$*" >&2; exit 1; }
here() { [ -z "$DESTDIR" ]; }                              # on this machine, not into a folder
running() { here && [ -d /run/systemd/system ]; }          # and systemd is there to be told
as_service() { runuser -u "$NAME" -- env -C / NUMBA_CACHE_DIR="$CACHE" "$@"; }

check() {
    if here && [ "$(id -u)" != 0 ]; then stop "run it with sudo: sudo make $1"; fi
    # Into units and the first lines of scripts, which end at a space and take & and | for their own.
    for path in "$PREFIX" "$DESTDIR"; do case $path in
        *[!A-Za-z0-9._/+@~-]*) stop "'$path' has a character that cannot stand in a unit: use letters, digits and . _ + @ ~ -" ;;
    esac; done
    case $PREFIX/ in
        *//* | */./* | */../*) stop "PREFIX is '$PREFIX': name it without //, . and .." ;;
        /*/*/) ;;
        *) stop "PREFIX is '$PREFIX': name a folder of its own, such as /opt/halfpercent" ;;
    esac
    if [ ${#PREFIX} -gt 70 ]; then stop "PREFIX is longer than the first line of a script can hold: use at most 70 characters"; fi
    case $READY_S in "" | *[!0-9]*) stop "READY_S is '$READY_S': give seconds, such as 120" ;; esac
    # It will be replaced: then it must be a link or an environment of this script's.
    if [ -L "$TARGET" ]; then
        case $(readlink "$TARGET") in
            "$(basename "$PREFIX").envs/"*) ;;
            *) stop "PREFIX is '$PREFIX', a link to somewhere else: name a folder of its own, such as /opt/halfpercent" ;;
        esac
    elif [ -e "$TARGET" ] && [ ! -f "$TARGET/pyvenv.cfg" ]; then
        stop "PREFIX is '$PREFIX', where something else lies: name a folder of its own, such as /opt/halfpercent"
    fi
    check_others
}

# What has our name and is not ours stops this before anything is done.
check_others() {
    for unit in $UNITS; do
        file=$SYSTEM/$unit
        if [ -e "$file" ] || [ -L "$file" ]; then
            if ! is_ours "$file"; then stop "$file is another's: move it away, or rename its unit"; fi
        fi
    done
    if [ -e "$COMMAND" ] || [ -L "$COMMAND" ]; then
        case $(readlink "$COMMAND" || :) in
            */bin/$NAME) ;;
            *) stop "$COMMAND is another's: move it away" ;;
        esac
    fi
    here || return 0
    account=$(getent passwd "$NAME") || return 0
    case $account in
        *:/var/lib/$NAME:*) ;;
        *) stop "there is an account $NAME already, and it is not the instrument's (its home is not /var/lib/$NAME): rename it" ;;
    esac
}

# Ours has the mark in its first lines; until version 0.1 it had the description.
is_ours() { [ -f "$1" ] && head -n 12 "$1" | grep -q -e "^$MARK" -e '^Description=halfpercent: '; }

check_python() {
    command -v "$PYTHON" > /dev/null || stop "no '$PYTHON' here: sudo apt-get install python3 python3-venv"
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        stop "'$PYTHON' is older than Python 3.11: use Raspberry Pi OS Bookworm or newer, or make install PYTHON=..."
    # A 64-bit kernel may carry a 32-bit system: what counts is Python.
    "$PYTHON" -c 'import platform, sys; sys.exit(sys.maxsize < 2**32 or platform.machine() not in ("aarch64", "x86_64"))' ||
        stop "this system is not 64-bit ARM or x86, and numba has no packages for it: use 64-bit Raspberry Pi OS"
    if here; then case $("$PYTHON" -c 'import sys; print(sys.base_prefix)') in
        /home/* | /root/*) stop "'$PYTHON' lies in somebody's home, which the service cannot see: make install PYTHON=/usr/bin/python3" ;;
    esac; fi
    if [ -n "$WHEELS" ] && [ ! -d "$WHEELS" ]; then stop "WHEELS=$WHEELS: no such folder"; fi
    "$PYTHON" -c 'import ensurepip, venv' 2> /dev/null || stop "Python's venv is missing: sudo apt-get install python3-venv"
}

# Only one at a time; the lock ends with the process.
lock() {
    mkdir -p "$ENVS"
    exec 9> "$ENVS/lock"
    flock -n 9 || stop "another installation is going on: wait for it"
}

# The new environment, beside the old one, which goes on running meanwhile. It is never moved.
make_venv() {
    NEW=$ENVS/$(date -u +%Y%m%dT%H%M%S)
    while [ -e "$NEW" ]; do NEW=$NEW+; done
    in_use=$(basename "$NEW")
    final=$PREFIX.envs/$in_use
    "$PYTHON" -m venv "$NEW"
    build=$NEW/build
    mkdir "$build"
    sed '/^# --- development ---/,$d' "$LOCK" > "$build/run.lock"
    set -- --disable-pip-version-check -qq install --no-compile --no-cache-dir
    if [ -n "$WHEELS" ]; then
        set -- "$@" --no-index --find-links "$WHEELS"
    fi
    "$NEW/bin/python" -m pip "$@" --no-deps --only-binary=:all: --require-hashes -r "$build/run.lock" ||
        stop "the packages could not be had: check the network, or give WHEELS=folder (docs/install.md)"
    # From a copy: nothing is written into the tree.
    for part in pyproject.toml README.md LICENSE edge hw calibration; do cp -R "$SOURCE/$part" "$build/"; done
    find "$build" -name __pycache__ -prune -exec rm -rf {} +
    "$NEW/bin/python" -m pip "$@" --no-index --no-deps --no-build-isolation "$build"
    rm -rf "$build"
    mkdir -p "$NEW/share/doc/$NAME"
    find "$SOURCE/docs" -maxdepth 1 -type f -exec cp {} "$NEW/share/doc/$NAME/" \;
    cp "$SOURCE/systemd/config.example.toml" "$NEW/share/doc/$NAME/"
    # A convenience: man -M "$PREFIX/share/man" halfpercent
    mkdir -p "$NEW/share/man/man1"
    "$NEW/bin/$NAME" man > "$NEW/share/man/man1/$NAME.1" 2> /dev/null || rm -f "$NEW/share/man/man1/$NAME.1"
    if [ -n "$DESTDIR" ]; then  # it will be seen without that
        find "$NEW/bin" "$NEW/pyvenv.cfg" -type f -exec sed -i "s|$NEW|$final|g" {} +
    fi
    if "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 13))'; then
        # lgpio may have no wheel: the system's own is used. What is locked still comes first.
        sed -i 's/^include-system-site-packages.*/include-system-site-packages = true/' "$NEW/pyvenv.cfg"
    fi
    "$NEW/bin/python" -m compileall -q -s "$NEW" -p "$final" "$NEW/lib" > /dev/null || :  # tests of others may not compile
    # As the page's unit runs it: what it loads, without docstrings, for it cannot keep that itself.
    PYTHONOPTIMIZE=2 PYTHONNODEBUGRANGES=1 "$NEW/bin/python" -c 'import edge.web.serve' > /dev/null 2>&1 || :
}

# Compiled and tried by whom it is for, before anything is swapped: published references must be met, stored runs give
# their known results, and a whole simulated test come to its verdict.
try_venv() {
    tried=$(mktemp -d)
    command="import sys; from edge.cli.main import main; sys.argv[0] = '$NAME'; main()"
    say "compiling, and trying it out"
    if here; then
        chown "$NAME" "$tried"
        as_service "$NEW/bin/python" -I -c "$command" qualify --quick --db "$tried/none.db" > "$tried/said" 2>&1 || fail_trial
        # Settings that the old version takes and the new one does not would stop it at its start.
        if as_service "$TARGET/bin/$NAME" check-config "$ETC/config.toml" > /dev/null 2>&1; then
            as_service "$NEW/bin/python" -I -c "$command" check-config "$ETC/config.toml" > "$tried/said" 2>&1 || fail_trial
        fi
    else
        env -C / NUMBA_CACHE_DIR="$tried/cache" "$NEW/bin/python" -I -c "$command" qualify --quick \
            --db "$tried/none.db" > "$tried/said" 2>&1 || fail_trial
    fi
    rm -rf "$tried"
}

fail_trial() {
    tail -n 5 "$tried/said" >&2
    rm -rf "$tried" "$NEW"
    stop "the new version does not work here, see above: nothing was changed"
}

# One rename of a link. Where a folder of an older version stands in its place, the two are exchanged, which is one too.
swap_venv() {
    OLD=
    rm -rf "$TARGET.next"
    ln -s "$(basename "$PREFIX").envs/$in_use" "$TARGET.next"
    if [ -L "$TARGET" ]; then
        OLD=$(readlink -f "$TARGET")
        mv -fT "$TARGET.next" "$TARGET"
    elif [ -e "$TARGET" ]; then
        OLD=$ENVS/before
        rm -rf "$OLD"
        "$NEW/bin/python" -I -c "$EXCHANGE" "$TARGET.next" "$TARGET" || {
            mv "$TARGET" "$OLD"
            mv -fT "$TARGET.next" "$TARGET"
        }
        if [ ! -e "$OLD" ]; then mv -T "$TARGET.next" "$OLD"; fi
        # Its scripts name the place where it stood.
        find "$OLD/bin" "$OLD/pyvenv.cfg" -type f -exec sed -i "s|$PREFIX/|$PREFIX.envs/before/|g" {} +
    else
        mv -fT "$TARGET.next" "$TARGET"
    fi
    sync
}

EXCHANGE='import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
a, b = (name.encode() for name in sys.argv[1:])
sys.exit(libc.renameat2(-100, a, -100, b, 2) != 0)'

swap_back() {
    rm -f "$TARGET.next"
    ln -s "$(basename "$PREFIX").envs/$(basename "$OLD")" "$TARGET.next"
    mv -fT "$TARGET.next" "$TARGET"
    sync
}

# Environments that are not in use: of an installation that was interrupted, or the one before.
remove_others() {
    kept=$(readlink -f "$TARGET" || :)
    for env in "$ENVS"/*; do
        if [ -d "$env" ] && [ "$(readlink -f "$env")" != "$kept" ]; then rm -rf "$env"; fi
    done
    rm -rf "$TARGET.new" "$TARGET.old" "$TARGET.next"
}

put() {
    install -D -m 644 "$SOURCE/systemd/$1" "$2.next"
    mv -fT "$2.next" "$2"
}

put_files() {
    for unit in $UNITS; do
        install -D -m 644 "$SOURCE/systemd/$unit" "$SYSTEM/$unit.next"
        sed -i "s|/opt/halfpercent|$PREFIX|g" "$SYSTEM/$unit.next"
        mv -fT "$SYSTEM/$unit.next" "$SYSTEM/$unit"
    done
    put halfpercent.sysusers "$LIB/sysusers.d/$NAME.conf"
    put halfpercent.tmpfiles "$LIB/tmpfiles.d/$NAME.conf"
    put halfpercent.modules "$LIB/modules-load.d/$NAME.conf"
    put 60-halfpercent.rules "$LIB/udev/rules.d/60-$NAME.rules"
    if [ ! -e "$ETC/config.toml" ] && [ ! -L "$ETC/config.toml" ]; then put config.example.toml "$ETC/config.toml"; fi
    mkdir -p "$DESTDIR/usr/local/bin"
    ln -sfn "$PREFIX/bin/$NAME" "$COMMAND"
}

# The account is needed before anything else is: what is tried is tried by it.
make_account() {
    here || return 0
    systemd-sysusers "$SOURCE/systemd/halfpercent.sysusers"
    systemd-tmpfiles --create "$SOURCE/systemd/halfpercent.tmpfiles"
}

tell_machine() {
    running || return 0
    systemctl daemon-reload
    modprobe i2c-dev 2> /dev/null || :
    udevadm control --reload && udevadm trigger --subsystem-match=i2c-dev --subsystem-match=spidev --subsystem-match=gpio || :
}

# Which lines the Pi's own file lacks, one a line. Not a Pi: none.
boot_lines() {
    file=$DESTDIR/boot/firmware/config.txt
    [ -f "$file" ] || return 0
    grep -Eq '^[[:space:]]*dtparam=([^#]*,)?i2c(_arm)?(=on|=yes|=1)?([,[:space:]]|$)' "$file" || say "dtparam=i2c_arm=on"
    grep -Eq '^[[:space:]]*dtparam=([^#]*,)?spi(=on|=yes|=1)?([,[:space:]]|$)' "$file" || say "dtparam=spi=on"
}


# By which the rig seals its runs: once, the service's alone. Without it a run is measured all the same, and unsealed.
make_key() {
    here || return 0
    if [ -e "/var/lib/$NAME/seal/rig_ed25519" ]; then return 0; fi
    as_service "$PREFIX/bin/$NAME" key new --db "/var/lib/$NAME/$NAME.db" > /dev/null ||
        say "  no key was made, so runs are not sealed: see above, then halfpercent key new"
}

# A restart would be a gap in a test, and perhaps the end of it. Who does not answer may be measuring one.
check_idle() {
    here || return 0
    [ -x "$TARGET/bin/$NAME" ] || return 0
    if running && ! systemctl -q is-active "$NAME.service"; then
        case $(systemctl show -p ActiveState --value "$NAME.service") in
            inactive | failed | "") return 0 ;;
        esac
    fi
    if ! running && [ ! -S "/run/$NAME/control.sock" ]; then return 0; fi
    if ! answer=$("$TARGET/bin/$NAME" status --json 2> /dev/null); then
        stop "the service does not answer, and may be measuring a test: see systemctl status $NAME, or make $1 FORCE=yes"
    fi
    case $answer in
        *'"run": null'*) ;;
        *) stop "a test is being measured: wait for its end (halfpercent status), or make $1 FORCE=yes" ;;
    esac
}

is_ready() { [ "$(systemctl show -p ActiveState --value "$NAME.service")" = active ]; }

# The service is started anew, and must measure; else the version before is put back. Returns 1 where it was.
start_new() {
    if timeout "$READY_S" systemctl restart "$NAME.service" && is_ready; then return 0; fi
    if [ -z "$was_ready" ]; then
        say "  it does not measure yet, and did not before: systemctl status $NAME"
        return 0
    fi
    swap_back
    systemctl restart --no-block "$NAME.service"
    return 1
}

finish() {
    say "installed in $TARGET; settings: $ETC/config.toml; data: $DESTDIR/var/lib/$NAME"
    make_key
    lines=$(boot_lines)
    if [ -n "$lines" ]; then
        say "  add to /boot/firmware/config.txt, then reboot:"
        say "$lines" | sed 's/^/      /'
    fi
    here || return 0
    # Not imported: that leaves a file in the working directory.
    if ! "$PREFIX/bin/python" -I -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("lgpio") is None)'; then
        say "  no lgpio, which an HX711 on GPIO pins and a panel want: sudo apt-get install python3-lgpio"
    fi
    person=${SUDO_USER:-}
    if [ -n "$person" ] && [ "$person" != root ] && ! id -nG "$person" | grep -qw "$NAME-operators"; then
        say "  to use it as $person: sudo usermod -aG $NAME,$NAME-operators $person (without the second: only to look)," \
            "then log in again"
    fi
    # An untouched example says nothing true of this rig: a wrong ref_ohm gives temperatures that look right.
    if cmp -s "$ETC/config.toml" "$SOURCE/systemd/config.example.toml"; then
        say "  next: correct $ETC/config.toml, try halfpercent check-config and halfpercent doctor; then" \
            "  sudo systemctl enable --now $NAME"
    elif ! as_service "$PREFIX/bin/$NAME" check-config "$ETC/config.toml"; then
        say "  not started: correct that, then sudo systemctl enable --now $NAME"
    elif [ -n "$first" ] || { running && systemctl -q is-enabled "$NAME"; }; then
        if running; then systemctl -q enable "$NAME"; fi
        start
    elif [ -n "$was_active" ]; then
        start
    else
        say "  next: sudo systemctl enable --now $NAME"
    fi
}

start() {
    if [ -n "$lines" ] && [ -z "$was_active" ]; then
        say "  it will start at the reboot"
    elif running; then
        start_new || stop "the new version did not measure within $READY_S s: the one before is in use again"
        say "  started: systemctl status $NAME"
    else
        say "  it will start at the next boot"
    fi
}

do_install() {
    check install
    if [ -z "$FORCE" ]; then check_idle install; fi
    check_python
    lock
    first=yes was_ready='' was_active=''
    if [ -e "$TARGET" ]; then first=; fi
    say "making the virtual environment in $PREFIX (a few minutes; what is installed goes on running)"
    make_account
    make_venv
    try_venv
    if [ -z "$FORCE" ]; then check_idle install; fi  # a test may have begun meanwhile
    if running; then
        if is_ready; then was_ready=yes; fi
        case $(systemctl show -p ActiveState --value "$NAME.service") in
            active | activating | reloading) was_active=yes ;;
        esac
    fi
    put_files
    swap_venv
    tell_machine
    finish
    remove_others
    if here; then find "$CACHE" -type f ! -newer "$NEW/pyvenv.cfg" -delete 2> /dev/null || :; fi  # of the one before
}

do_uninstall() {
    check uninstall
    if [ -z "$FORCE" ]; then check_idle uninstall; fi
    if running; then
        for unit in $UNITS; do
            if [ -e "$SYSTEM/$unit" ]; then systemctl -q disable --now "$unit" || :; fi
        done
    fi
    for unit in $UNITS; do rm -f "$SYSTEM/$unit"; done
    rm -f "$LIB/sysusers.d/$NAME.conf" "$LIB/tmpfiles.d/$NAME.conf" "$LIB/modules-load.d/$NAME.conf" \
        "$LIB/udev/rules.d/60-$NAME.rules" "$COMMAND"
    rm -rf "$TARGET" "$TARGET.new" "$TARGET.old" "$TARGET.next" "$ENVS" "$DESTDIR$CACHE"
    if running; then systemctl daemon-reload; fi
    say "removed. Left alone: $ETC, $DESTDIR/var/lib/$NAME and the account $NAME, to whom the data belong."
}

[ $# -le 1 ] || stop "one word: install or uninstall; settings come from the environment"
case ${1:-} in
    install) do_install ;;
    files) check install && put_files ;;                  # no virtual environment: for tests and packagers
    boot-lines) boot_lines ;;
    uninstall) do_uninstall ;;
    *) stop "say install or uninstall: sudo make install" ;;
esac
