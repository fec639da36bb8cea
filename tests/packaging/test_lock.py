"""The lock file: whole, without what is never imported, and what a resolver chooses of it on a Pi's Pythons."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from repository import ROOT

LEFT_OUT = set(
    re.search(r"^LEFT_OUT := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1].split()
)  # type: ignore[index]
RUN, _, DEVELOPMENT = (ROOT / "requirements.lock").read_text(encoding="utf-8").partition("# --- development ---")


def locked(part: str) -> dict[str, list[tuple[str, Marker | None]]]:
    """Get each package's versions, and where each is taken."""
    out: dict[str, list[tuple[str, Marker | None]]] = {}
    for name, version, marker in re.findall(r"^([\w.-]+)==(\S+)(?: ; (.*?))? \\$", part, re.MULTILINE):
        out.setdefault(canonicalize_name(name), []).append((version, Marker(marker) if marker else None))
    return out


def chosen(python: str, machine: str) -> dict[str, str]:
    """Get what is installed to run, on a Linux with this Python and processor."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    found = {}
    for name, versions in locked(RUN).items():
        fits = [version for version, marker in versions if marker is None or marker.evaluate(environment)]
        assert len(fits) <= 1, (name, fits)
        if fits:
            found[name] = fits[0]
    return found


@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_lgpio_is_chosen_where_it_has_a_wheel_and_is_the_systems_elsewhere(python: str, machine: str) -> None:
    found = chosen(python, machine)
    assert ("lgpio" in found) == (machine == "aarch64" and python in ("3.11", "3.12"))
    assert {"numba", "llvmlite", "numpy", "scipy", "gpiozero", "smbus2", "sqlite-utils", "msgspec"} <= set(found)
    assert tuple(map(int, found["sqlite-utils"].split("."))) >= (4, 2, 1)


def test_the_empty_package_that_bears_lgpios_name_is_never_taken() -> None:
    # Of what an index has for Python 3.13 only lgpio 0.0.0.2 fits: it holds nothing, and imports nothing.
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (lgpio,) = (need for need in map(Requirement, extras["pi"]) if need.name == "lgpio")
    assert not lgpio.specifier.contains("0.0.0.2")
    for python, wanted in (("3.11", True), ("3.12", True), ("3.13", False), ("3.14", False)):
        assert lgpio.marker is not None
        assert lgpio.marker.evaluate({"python_version": python, "platform_machine": "aarch64"}) is wanted


def test_nothing_of_the_lock_lacks_but_what_is_left_out_on_purpose() -> None:
    everything = locked(RUN) | locked(DEVELOPMENT)
    lacks = set()
    for name in everything:
        try:
            needs = distribution(name).requires or []
        except importlib.metadata.PackageNotFoundError:  # of another platform
            continue
        for need in map(Requirement, needs):
            if (need.marker is None or need.marker.evaluate({"extra": ""})) and (
                canonicalize_name(need.name) not in everything
            ):
                lacks.add(canonicalize_name(need.name))
    assert lacks <= LEFT_OUT  # the others are needed by those alone
    assert not LEFT_OUT & set(everything)


NEVER = {
    "adafruit-circuitpython-connectionmanager": "adafruit_connection_manager",
    "adafruit-circuitpython-requests": "adafruit_requests",
    "binho-host-adapter": "binhoHostAdapter",
    "pyftdi": "pyftdi",
    "pyusb": "usb",
    "sysv-ipc": "sysv_ipc",
}


def test_the_thermometers_and_gauges_libraries_want_none_of_what_is_left_out() -> None:
    assert set(NEVER) == LEFT_OUT
    program = f"import sys\nfor name in {sorted(NEVER.values())}: sys.modules[name] = None\n" + (
        "import adafruit_max31865, adafruit_mprls, adafruit_ads1x15, Adafruit_PureIO.spi\n"
        "import hw.max31865, hw.vacuum_gauge, hw.spi\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_lock_names_no_index_and_has_a_hash_for_everything() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    for block in re.split(r"\n(?=[a-z])", RUN + DEVELOPMENT):
        if re.match(r"[\w.-]+==", block):
            assert "--hash=sha256:" in block, block.splitlines()[0]


def test_wheels_are_fetched_for_what_is_locked_alone() -> None:
    script = (ROOT / "systemd/install.sh").read_text(encoding="utf-8")
    assert '"$@" --no-deps --only-binary=:all: --require-hashes' in script
    assert Path(ROOT / "Makefile").read_text(encoding="utf-8").count("install --no-deps --require-hashes") == 3
