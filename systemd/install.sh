#!/bin/sh
# Installs the instrument on 64-bit Raspberry Pi OS or Debian, or takes it away again:
#     sudo make install | sudo make uninstall
# Running it again is the upgrade. It never writes what is a person's: config.txt of the Pi, and, once they are there,
# /etc/halfpercent and /var/lib/halfpercent.
#
# From the environment:
#   PYTHON   what the virtual environment is made with (python3)
#   PREFIX   where it goes (/opt/halfpercent)
#   WHEELS   a folder with the locked packages, for a Pi without a network
#   LOCK     another list of packages than requirements.lock
#   FORCE    yes: also while a test is being measured
#   DESTDIR  a folder that stands for /: files are put there, and nothing of this machine is touched
set -eu
umask 022

PYTHON=${PYTHON:-python3}
PREFIX=${PREFIX:-/opt/halfpercent}
WHEELS=${WHEELS:-}
DESTDIR=${DESTDIR:-}
FORCE=${FORCE:-}
SOURCE=$(cd "$(dirname "$0")/.." && pwd)
LOCK=${LOCK:-$SOURCE/requirements.lock}

NAME=halfpercent
LIB=$DESTDIR/usr/local/lib
ETC=$DESTDIR/etc/$NAME
CACHE=/var/cache/$NAME
TARGET=$DESTDIR$PREFIX
NEW=$TARGET.new
OLD=$TARGET.old

say() { printf '%s\n' "$*"; }
stop() { printf '%s: %s\n' "$NAME" "$*" >&2; exit 1; }
here() { [ -z "$DESTDIR" ]; }                              # on this machine, not into a folder
running() { here && [ -d /run/systemd/system ]; }          # and systemd is there to be told
as_service() { runuser -u "$NAME" -- env -C / NUMBA_CACHE_DIR="$CACHE" "$@"; }

check() {
    if here && [ "$(id -u)" != 0 ]; then stop "run it with sudo: sudo make $1"; fi
    case $PREFIX in
        /*/*) ;;
        *) stop "PREFIX is '$PREFIX': name a folder of its own, such as /opt/halfpercent" ;;
    esac
    # It will be removed as a whole: then it must be an environment of this script's.
    if [ -e "$TARGET" ] && [ ! -f "$TARGET/pyvenv.cfg" ]; then
        stop "PREFIX is '$PREFIX', where something else lies: name a folder of its own, such as /opt/halfpercent"
    fi
}

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

# The new environment is made beside the old one, which goes on running meanwhile.
make_venv() {
    rm -rf "$NEW"
    mkdir -p "$(dirname "$NEW")"
    "$PYTHON" -m venv "$NEW"
    build=$NEW/build
    mkdir "$build"
    sed '/^# --- development ---/,$d' "$LOCK" > "$build/run.lock"
    set -- --disable-pip-version-check -qq install --no-compile --no-cache-dir
    if [ -n "$WHEELS" ]; then
        set -- "$@" --no-index --find-links "$WHEELS"
    fi
    "$NEW/bin/python" -m pip "$@" --only-binary=:all: --require-hashes -r "$build/run.lock" ||
        stop "the packages could not be had: check the network, or give WHEELS=folder (docs/install.md)"
    # From a copy: nothing is written into the tree.
    for part in pyproject.toml README.md LICENSE edge hw calibration; do cp -R "$SOURCE/$part" "$build/"; done
    find "$build" -name __pycache__ -prune -exec rm -rf {} +
    "$NEW/bin/python" -m pip "$@" --no-index --no-deps --no-build-isolation "$build"
    rm -rf "$build"
    mkdir -p "$NEW/share/doc/$NAME"
    cp "$SOURCE"/docs/* "$SOURCE/systemd/config.example.toml" "$NEW/share/doc/$NAME/"
    # It will have another name than it was made under.
    find "$NEW/bin" "$NEW/pyvenv.cfg" -type f -exec sed -i "s|$NEW|$PREFIX|g" {} +
    if "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 13))'; then
        # lgpio has no wheel: the system's own is used. What is locked still comes first.
        sed -i 's/^include-system-site-packages.*/include-system-site-packages = true/' "$NEW/pyvenv.cfg"
    fi
    "$NEW/bin/python" -m compileall -q -s "$NEW" -p "$PREFIX" "$NEW/lib" > /dev/null || :  # tests of others may not compile
}

swap_venv() {
    rm -rf "$OLD"
    if [ -e "$TARGET" ]; then mv "$TARGET" "$OLD"; fi
    mv "$NEW" "$TARGET"
    rm -rf "$OLD"
}

put() { install -D -m 644 "$SOURCE/systemd/$1" "$2"; }

put_files() {
    for unit in "$SOURCE"/systemd/*.service; do
        put "$(basename "$unit")" "$LIB/systemd/system/$(basename "$unit")"
        sed -i "s|/opt/halfpercent|$PREFIX|g" "$LIB/systemd/system/$(basename "$unit")"
    done
    put halfpercent.sysusers "$LIB/sysusers.d/$NAME.conf"
    put halfpercent.tmpfiles "$LIB/tmpfiles.d/$NAME.conf"
    put halfpercent.modules "$LIB/modules-load.d/$NAME.conf"
    put 60-halfpercent.rules "$LIB/udev/rules.d/60-$NAME.rules"
    if [ ! -e "$ETC/config.toml" ] && [ ! -L "$ETC/config.toml" ]; then put config.example.toml "$ETC/config.toml"; fi
    mkdir -p "$DESTDIR/usr/local/bin"
    ln -sfn "$PREFIX/bin/$NAME" "$DESTDIR/usr/local/bin/$NAME"
}

tell_machine() {
    here || return 0
    systemd-sysusers "$LIB/sysusers.d/$NAME.conf"
    systemd-tmpfiles --create "$LIB/tmpfiles.d/$NAME.conf"
    running || return 0
    systemctl daemon-reload
    modprobe i2c-dev 2> /dev/null || :
    udevadm control --reload && udevadm trigger --subsystem-match=i2c-dev --subsystem-match=spidev --subsystem-match=gpio || :
}

# Compiled now, by whom it is for, so that the first start need not.
compile_kernel() {
    here || return 0
    say "compiling the kernel"
    as_service "$PREFIX/bin/python" -I -c 'from edge.station.service import warm_up; warm_up()' ||
        stop "the kernel could not be compiled: see above; nothing was started"
}

# Which lines the Pi's own file lacks, one a line. Not a Pi: none.
boot_lines() {
    file=$DESTDIR/boot/firmware/config.txt
    [ -f "$file" ] || return 0
    grep -Eq '^[[:space:]]*dtparam=([^#]*,)?i2c(_arm)?(=on|=yes|=1)?([,[:space:]]|$)' "$file" || say "dtparam=i2c_arm=on"
    grep -Eq '^[[:space:]]*dtparam=([^#]*,)?spi(=on|=yes|=1)?([,[:space:]]|$)' "$file" || say "dtparam=spi=on"
}

finish() {
    say "installed in $TARGET; settings: $ETC/config.toml; data: $DESTDIR/var/lib/$NAME"
    lines=$(boot_lines)
    if [ -n "$lines" ]; then
        say "  add to /boot/firmware/config.txt, then reboot:"
        say "$lines" | sed 's/^/      /'
    fi
    here || return 0
    # Not imported: that leaves a file in the working directory.
    if ! "$PREFIX/bin/python" -I -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec("lgpio"))'; then
        say "  no lgpio, which an HX711 on GPIO pins and a panel want: sudo apt-get install python3-lgpio"
    fi
    person=${SUDO_USER:-}
    if [ -n "$person" ] && [ "$person" != root ] && ! id -nG "$person" | grep -qw "$NAME"; then
        say "  to talk to it as $person: sudo usermod -aG $NAME $person, then log in again"
    fi
    # An untouched example says nothing true of this rig: a wrong ref_ohm gives temperatures that look right.
    if cmp -s "$ETC/config.toml" "$SOURCE/systemd/config.example.toml"; then
        say "  next: correct $ETC/config.toml, try halfpercent check-config and halfpercent doctor; then" \
            "  sudo systemctl enable --now $NAME"
    elif ! as_service "$PREFIX/bin/$NAME" check-config "$ETC/config.toml"; then
        say "  not started: correct that, then sudo systemctl enable --now $NAME"
    elif [ -n "$first" ] || systemctl -q is-enabled "$NAME"; then
        systemctl -q enable "$NAME"
        start
    else
        say "  next: sudo systemctl enable --now $NAME"
    fi
}

start() {
    if [ -n "$lines" ]; then
        say "  it will start at the reboot"
    elif running; then
        systemctl start --no-block "$NAME.service" $were_running
        say "  starting: systemctl status $NAME"
    else
        say "  it will start at the next boot"
    fi
}

# A restart would be a gap in it, and perhaps the end of it.
check_idle() {
    here || return 0
    answer=$("$TARGET/bin/$NAME" status --json 2> /dev/null) || return 0
    case $answer in
        *'"run": null'*) ;;
        *) stop "a test is being measured: wait for its end (halfpercent status), or make $1 FORCE=yes" ;;
    esac
}

do_install() {
    check install
    if [ -z "$FORCE" ]; then check_idle install; fi
    check_python
    say "making the virtual environment in $PREFIX (a few minutes; what is installed goes on running)"
    make_venv
    were_running= first=yes
    if [ -e "$TARGET" ]; then first=; fi
    if running; then
        were_running=$(systemctl list-units --plain --no-legend --state=active,activating "$NAME*.service" | cut -d' ' -f1)
        if [ -n "$were_running" ]; then systemctl stop $were_running; fi
    fi
    swap_venv
    put_files
    tell_machine
    compile_kernel
    finish
}

do_uninstall() {
    check uninstall
    if [ -z "$FORCE" ]; then check_idle uninstall; fi
    if running; then
        units=$(systemctl list-unit-files --plain --no-legend "$NAME*.service" | cut -d' ' -f1)
        if [ -n "$units" ]; then systemctl -q disable --now $units; fi
    fi
    for file in "$SOURCE"/systemd/*.service; do rm -f "$LIB/systemd/system/$(basename "$file")"; done
    rm -f "$LIB/sysusers.d/$NAME.conf" "$LIB/tmpfiles.d/$NAME.conf" "$LIB/modules-load.d/$NAME.conf" \
        "$LIB/udev/rules.d/60-$NAME.rules" "$DESTDIR/usr/local/bin/$NAME"
    rm -rf "$TARGET" "$NEW" "$OLD" "$DESTDIR$CACHE"
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
