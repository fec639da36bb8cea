"""Builds the virtual Pi, once, into a cache folder outside the repository: a User-Mode Linux kernel, the module
``vpibus``, and a Debian root with the instrument's locked packages.

Each part is named after a hash of all that it is made from and is built where it is missing. This module must never
write into the repository, and never change a part that is complete.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import mended_kernel

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
CACHE = Path(os.environ.get("HALFPERCENT_CACHE") or Path.home() / ".cache/halfpercent/virtual-pi").resolve()

SOURCE = "linux-source-6.12"
SUITE, PYTHON = "bookworm", "python3.11"
IN_ROOT = "systemd-sysv,udev,dbus,kmod,python3,python3-venv,i2c-tools,gpiod,sqlite3"
TOOLS = {
    "make": "make",
    "gcc": "gcc",
    "flex": "flex",
    "bison": "bison",
    "bc": "bc",
    "depmod": "kmod",
    "xz": "xz-utils",
    "mke2fs": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
}
HEADERS = {"gelf.h": "libelf-dev", "openssl/opensslv.h": "libssl-dev"}
VENV = "opt/halfpercent"
FIRST_PROGRAM = """#!/bin/sh
# PID 1 of the virtual Pi where it runs one program: the repository says what next.
mount -r -t hostfs -o "$VPI_REPO" none /halfpercent && exec /bin/sh /halfpercent/tests/virtualpi/init.sh
"""
KEPT = ("Makefile", "Kbuild", "Kconfig", "include", "scripts", "arch", "um", "x86")
"""What of the kernel's 1.7 GB of source, and of its arch folder, a module is built with."""


def _key(*parts: str | bytes) -> str:
    sha = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        sha.update(len(raw).to_bytes(8, "big") + raw)
    return sha.hexdigest()[:12]


def _locked() -> str:
    """Get what the instrument runs on, as locked, with lgpio also where the machine is no Pi."""
    run = (REPO / "requirements.lock").read_text(encoding="utf-8").split("# --- development ---")[0]
    return re.sub(r"^(lgpio==\S+) ;[^\\\n]*", r"\1 ", run, flags=re.M)


def kernel() -> Path:
    """Get the folder of the kernel: ``linux``, and ``source`` and ``objects`` to build modules with."""
    made_from = [(HERE / name).read_bytes() for name in ("kernel.config", "mended_kernel.py")]
    return CACHE / f"kernel-{_key(SOURCE, *made_from)}"


def module() -> Path:
    """Get the folder of ``vpibus.ko``."""
    return CACHE / f"module-{_key(kernel().name, (HERE / 'vpibus.c').read_bytes(), (HERE / 'Kbuild').read_bytes())}"


def root() -> Path:
    """Get the folder that is the virtual Pi's root."""
    return CACHE / f"root-{_key(SUITE, IN_ROOT, _locked(), FIRST_PROGRAM)}"


def wheels() -> Path:
    """Get the folder of the locked packages, as a Pi without a network would be given them."""
    return CACHE / f"wheels-{_key(PYTHON, _locked())}"


def disk() -> Path:
    """Get the folder of ``root.ext4``, a disk with the root as it was built: nothing of ours is on it."""
    return CACHE / f"disk-{root().name.removeprefix('root-')}"


def missing() -> list[Path]:
    """Get the parts that are not built."""
    parts = [kernel(), module(), root(), wheels()]
    if os.geteuid() == 0:  # only then do the files on a disk belong to whom they should
        parts.append(disk())
    return [part for part in parts if not part.is_dir()]


def image(path: Path, size: str = "3G") -> None:
    """Make an ext4 image of the root, for a virtual Pi that boots systemd and may lose its power.

    Needs root: only then do the root's files belong to whom they should.
    """
    path.unlink(missing_ok=True)
    _run("truncate", "-s", size, path)
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-d", root(), path)


def locked(path: Path) -> None:
    """Write down what the instrument runs on, with lgpio also where the machine is no Pi."""
    path.write_text(_locked(), encoding="utf-8")


def main() -> int:
    """Build what is missing. Returns 0, or 1 with one line that says what to do."""
    if platform.machine() != "x86_64":
        return _fail(f"the virtual Pi is a User-Mode Linux of x86-64; this machine is {platform.machine()}")
    CACHE.mkdir(parents=True, exist_ok=True)
    if not missing():
        print(f"virtual Pi: complete in {CACHE}")
        return 0
    packages = _not_installed()
    may_install = os.geteuid() == 0 and shutil.which("apt-get")
    if packages and not may_install:
        return _fail(f"install these first: apt-get install {' '.join(packages)}")
    try:
        if packages:
            _install(packages)
        _part(kernel(), "kernel, about 10 min", _build_kernel)
        _part(module(), "module", _build_module)
        _part(root(), "Debian root, about 2 min", _build_root)
        _part(wheels(), "packages", _build_wheels)
        if os.geteuid() == 0:
            _part(disk(), "disk", _build_disk)
    except subprocess.CalledProcessError as e:
        command = " ".join(map(str, e.cmd))
        return _fail(f"{command[:200]}: exit status {e.returncode}; see {CACHE}/*/log; what is complete is kept")
    size = int(subprocess.run(["du", "-sm", CACHE], capture_output=True, text=True, check=True).stdout.split()[0])
    print(f"virtual Pi: complete in {CACHE} ({size} MB): make test-virtual-pi")
    return 0


def _fail(why: str) -> int:
    print(f"virtual Pi: {why}", file=sys.stderr)
    return 1


def _not_installed() -> list[str]:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    packages = [package for tool, package in TOOLS.items() if not shutil.which(tool, path=path)]
    found = [Path("/usr/include"), *Path("/usr/include").glob("*-linux-gnu")]
    packages += [package for name, package in HEADERS.items() if not any((at / name).exists() for at in found)]
    if not Path(f"/usr/src/{SOURCE}.tar.xz").exists():
        packages.append(SOURCE)
    return packages


def _install(packages: list[str]) -> None:
    print(f"virtual Pi: installing {' '.join(packages)}", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
    _run("apt-get", "-qq", "update", **quiet)
    _run("apt-get", "-qq", "-y", "install", "--no-install-recommends", *packages, **quiet)


def _part(folder: Path, what: str, build: Callable[[Path], None]) -> None:
    """Build a part in a folder beside its own, which it becomes when it is complete."""
    if folder.is_dir():
        return
    print(f"virtual Pi: {what}: {folder.name}", flush=True)
    began = time.monotonic()
    half = folder.with_name(f"half-{folder.name}")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    build(half)
    half.rename(folder)
    print(f"virtual Pi: {folder.name} done in {time.monotonic() - began:.0f} s", flush=True)


def _run(*argv: str | Path, **more: object) -> None:
    subprocess.run(["nice", "-n", "10", *argv], check=True, **more)  # type: ignore[call-overload]  # passed on


def _make(folder: Path, log_in: Path, *targets: str) -> None:
    source, objects = folder / "source", folder / "objects"
    jobs = f"-j{min(2, os.cpu_count() or 1)}"
    with (log_in / "log").open("ab") as log:
        _run("make", "-s", "-C", source, "ARCH=um", f"O={objects}", jobs, *targets, stdout=log, stderr=log)


def _build_kernel(folder: Path) -> None:
    source, objects = folder / "source", folder / "objects"
    source.mkdir()
    objects.mkdir()
    _run("tar", "-xf", f"/usr/src/{SOURCE}.tar.xz", "-C", source, "--strip-components=1")
    mended_kernel.mend(source)
    _make(folder, folder, "defconfig")
    merge = source / "scripts/kconfig/merge_config.sh"
    _run(merge, "-m", "-O", objects, objects / ".config", HERE / "kernel.config", cwd=source, stdout=subprocess.DEVNULL)
    _make(folder, folder, "olddefconfig")
    _make(folder, folder, "linux", "modules")
    _run("strip", "-o", folder / "linux", objects / "linux")
    shutil.copy(objects / ".config", folder / "config")
    _trim(source, objects)


def _trim(source: Path, objects: Path) -> None:
    """Leave of source and objects what a module is built with."""
    for path in [*source.iterdir(), *(source / "arch").iterdir()]:
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for path in [p for end in ("*.o", "*.a", "*.ko") for p in objects.rglob(end)]:
        if "scripts" not in path.parts:
            path.unlink()
    for name in ("linux", "vmlinux"):
        (objects / name).unlink(missing_ok=True)


def _build_module(folder: Path) -> None:
    for name in ("vpibus.c", "Kbuild"):
        shutil.copy(HERE / name, folder)
    _make(kernel(), folder, f"M={folder}", "modules")
    for path in folder.iterdir():
        if path.name != "vpibus.ko":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _build_root(folder: Path) -> None:
    tar = folder.with_name(f"{folder.name}.tar")
    _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={IN_ROOT}", SUITE, tar)
    own = [] if os.geteuid() == 0 else ["--no-same-owner"]
    _run("tar", "-xf", tar, "-C", folder, "--exclude=./dev/*", *own)
    tar.unlink()
    for name in ("halfpercent", "out", "vpi", VENV):
        (folder / name).mkdir(parents=True, exist_ok=True)
    first = folder / "sbin/vpi-init"
    first.write_text(FIRST_PROGRAM, encoding="ascii")
    first.chmod(0o755)
    site = _venv(folder)
    lock = folder / "tmp/run.lock"
    locked(lock)
    # The root's own Python with the root's own libraries and pip, on this machine's network.
    pip = next((folder / "usr/share/python-wheels").glob("pip-*.whl")) / "pip"
    options = ["-qq", "--no-cache-dir", "--no-warn-script-location", "--root-user-action=ignore"]
    options += [
        "--no-compile",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--target",
        str(site),
        "-r",
        str(lock),
    ]
    _in_root(folder, pip, "--disable-pip-version-check", "install", *options)
    lock.unlink()
    _in_root(folder, "-m", "compileall", "-q", "-j2", "-s", str(folder), site, folder / "usr/lib" / PYTHON)


def _build_wheels(folder: Path) -> None:
    lock = folder / "run.lock"
    locked(lock)
    pip = next((root() / "usr/share/python-wheels").glob("pip-*.whl")) / "pip"
    options = ["-qq", "--no-deps", "--only-binary=:all:", "--require-hashes", "-d", str(folder), "-r", str(lock)]
    _in_root(root(), pip, "--disable-pip-version-check", "download", *options)


def _build_disk(folder: Path) -> None:
    image(folder / "root.ext4")


def _venv(folder: Path) -> Path:
    """Make a virtual environment by hand: the root's Python has never run. Returns where packages go."""
    venv = folder / VENV
    site = venv / "lib" / PYTHON / "site-packages"
    site.mkdir(parents=True)
    (venv / "bin").mkdir()
    for name in ("python", "python3", PYTHON):
        (venv / "bin" / name).symlink_to(f"/usr/bin/{PYTHON}")
    text = "home = /usr/bin\ninclude-system-site-packages = false\n"
    (venv / "pyvenv.cfg").write_text(text, encoding="ascii")
    return site


def _in_root(folder: Path, *argv: str | Path) -> None:
    triple = "x86_64-linux-gnu"
    libraries = [folder / "usr/lib" / triple, folder / "lib" / triple]
    loader = folder / "usr/lib" / triple / "ld-linux-x86-64.so.2"
    if not loader.exists():
        loader = folder / "lib" / triple / loader.name
    path = ":".join(map(str, libraries))
    python = folder / "usr/bin" / PYTHON
    environment = os.environ | {"PYTHONHOME": str(folder / "usr")}
    for name in ("PYTHONPATH", "VIRTUAL_ENV"):
        environment.pop(name, None)
    _run(loader, "--library-path", path, python, *argv, env=environment)


if __name__ == "__main__":
    sys.exit(main())
