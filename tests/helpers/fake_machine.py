"""A machine for the installer: its own folders in a mount namespace, and a systemd that remembers.

Each run of the script sees the same folders, also after it was killed. What takes minutes (packages, compiling) is done
by a Python of sh that leaves the same files; all else is the script's own. Needs root, for the mounts.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from repository import ROOT

MOUNTED = ("opt", "usr/local", "etc/halfpercent", "var/lib", "var/cache", "run/systemd", "run/halfpercent")

PYTHON = r"""#!/bin/sh
# A Python that makes environments of text. FAKE: the machine's folder; VERSION: what is being installed.
sleep "${SLOW:-0}"
case "$*" in
    "-m venv "*)
        mkdir -p "$3/bin" "$3/lib"
        printf 'home = /usr/bin\ninclude-system-site-packages = false\n' > "$3/pyvenv.cfg"
        printf '#!/bin/sh\nexec sh %s/python "$@"\n' "$FAKE" > "$3/bin/python"
        chmod +x "$3/bin/python" ;;
    *"-m pip "*build)
        env=$(cd "$(dirname "$(eval echo \${$#})")" && pwd)
        printf '%s\n' "$VERSION" > "$env/lib/version"
        printf '#!/bin/sh\n[ "$1" = status ] && { cat "%s/status" 2>/dev/null || exit 1; exit 0; }\n' "$FAKE" \
            > "$env/bin/halfpercent"
        printf '[ "$1" = check-config ] && exit 0\nprintf "%%s\\n" %s\n' "$VERSION" >> "$env/bin/halfpercent"
        chmod +x "$env/bin/halfpercent" ;;
    *" qualify --quick "*) [ "$VERSION" != unqualified ] || { echo it fails; exit 1; } ;;
    *" check-config "*) [ "$VERSION" != strict ] || { echo settings are refused; exit 1; } ;;
    *base_prefix*) echo /usr ;;
    *renameat2*) shift; exec python3 -I "$@" ;;
    *version_info*3,\ 13*) exit 0 ;;
    *version_info*) exit 0 ;;
esac
exit 0
"""

SYSTEMCTL = r"""#!/bin/sh
# A systemd with one service: $FAKE/active is its state, $FAKE/running the version of the process.
printf '%s\n' "$*" >> "$FAKE/told"
case "$*" in
    *is-active*) [ "$(cat "$FAKE/active")" = active ] ;;
    "show -p ActiveState"*) cat "$FAKE/active" ;;
    *is-enabled*) exit 0 ;;
    *restart*)
        version=$(/opt/halfpercent/bin/halfpercent version)
        printf '%s\n' "$version" > "$FAKE/running.next" && mv "$FAKE/running.next" "$FAKE/running"
        state=active
        [ "$version" != never-ready ] || state=activating
        printf '%s\n' $state > "$FAKE/active.next" && mv "$FAKE/active.next" "$FAKE/active"
        [ $state = active ] ;;
    *) exit 0 ;;
esac
"""


class FakeMachine:
    """A machine in ``folder``. ``installed`` asks for the command's version, as the next boot would find it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.fake = folder / "fake"
        self.fake.mkdir()
        for name in MOUNTED:
            (self.root / name).mkdir(parents=True)
        (self.root / "run/systemd/system").mkdir()  # systemd is there to be told
        for name in ("systemd-sysusers", "systemd-tmpfiles", "modprobe", "udevadm"):
            self._program(name, "#!/bin/sh\nexit 0\n")
        self._program("runuser", '#!/bin/sh\nshift 3\nexec "$@"\n')
        self._program("chown", "#!/bin/sh\nexit 0\n")
        self._program("getent", f"#!/bin/sh\ncat {self.fake}/passwd 2>/dev/null || exit 2\n")
        self._program("id", "#!/bin/sh\necho 0\n")
        self._program("systemctl", SYSTEMCTL)
        self._program("python", PYTHON)
        self.says("active", "inactive")
        self.lock = folder / "empty.lock"
        self.lock.touch()

    def _program(self, name: str, text: str) -> None:
        path = self.fake / name
        path.write_text(text, encoding="ascii")
        path.chmod(0o755)

    def says(self, name: str, text: str) -> None:
        """Write down what a fake says."""
        (self.fake / name).write_text(f"{text}\n", encoding="ascii")

    def said(self, name: str) -> str:
        """Get what a fake was told, or wrote down."""
        path = self.fake / name
        return path.read_text(encoding="ascii").strip() if path.exists() else ""

    def command(self, *argv: str) -> list[str]:
        """Get the command that runs another one in the machine."""
        mounts = "; ".join(
            f"mkdir -p /{name} && mount --bind {self.root / name} /{name}" for name in MOUNTED
        )  # fmt: skip
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mounts}; exec "$@"', "sh", *argv]

    def start(self, verb: str, version: str, **more: str) -> subprocess.Popen[str]:
        """Start the script, in a process group of its own."""
        environment = {n: v for n, v in os.environ.items() if n not in ("PREFIX", "DESTDIR", "WHEELS", "FORCE")} | {
            "PATH": f"{self.fake}:{os.environ['PATH']}",
            "FAKE": str(self.fake),
            "VERSION": version,
            "PYTHON": str(self.fake / "python"),
            "LOCK": str(self.lock),
            "READY_S": "5",
        }
        return subprocess.Popen(
            self.command("sh", str(ROOT / "systemd/install.sh"), verb),
            env=environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def install(self, version: str, *, ok: bool = True, **more: str) -> str:
        """Install a version, whole; what was said."""
        with self.start("install", version, **more) as one:
            out = one.communicate()[0]
        assert (one.returncode == 0) == ok, out
        return out

    def killed(self, version: str, after_s: float, **more: str) -> bool:
        """Install, and be killed after so long with all it started. Returns whether it was over before."""
        with self.start("install", version, **more) as one:
            try:
                one.wait(after_s)
            except subprocess.TimeoutExpired:
                os.killpg(one.pid, signal.SIGKILL)
                one.communicate()
                return False
            one.communicate()
        return True

    def installed(self) -> str:
        """Get which version the command is, as the next boot would find it; '' where it does not run."""
        done = subprocess.run(
            self.command("/usr/local/bin/halfpercent", "version"), capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    def environments(self) -> list[str]:
        """Get the environments that lie there."""
        return sorted(p.name for p in (self.root / "opt/halfpercent.envs").iterdir() if p.is_dir())


def can_mount() -> bool:
    """Say whether this process may make a mount namespace."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"], capture_output=True, check=False)
    return done.returncode == 0


def took_s(machine: FakeMachine, version: str, **more: str) -> float:
    """Install a version, and say how long that took."""
    begun_s = time.monotonic()
    machine.install(version, **more)
    return time.monotonic() - begun_s
