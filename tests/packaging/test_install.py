"""The installer: what it puts where, what it never writes, and what it leaves.

The virtual environment, the account and the start are shown on the virtual Pi (tests/virtualpi/test_service.py);
here DESTDIR stands for the machine.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from repository import ROOT

SCRIPT = ROOT / "systemd/install.sh"
LIB = "usr/local/lib"


def run(verb: str, destdir: Path, *, ok: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    names = ("PREFIX", "WHEELS", "LOCK", "PYTHON", "FORCE")
    environment = {n: v for n, v in os.environ.items() if n not in names} | {"DESTDIR": str(destdir)} | more
    done = subprocess.run(["sh", SCRIPT, verb], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


def test_units_account_folders_rules_and_the_example_are_put_in_their_places(tmp_path: Path) -> None:
    run("files", tmp_path)
    units = {f"{LIB}/systemd/system/{unit.name}" for unit in (ROOT / "systemd").glob("*.service")}
    assert units
    assert files(tmp_path) == units | {
        f"{LIB}/sysusers.d/halfpercent.conf",
        f"{LIB}/tmpfiles.d/halfpercent.conf",
        f"{LIB}/modules-load.d/halfpercent.conf",
        f"{LIB}/udev/rules.d/60-halfpercent.rules",
        "etc/halfpercent/config.toml",
        "usr/local/bin/halfpercent",
    }
    assert (tmp_path / "etc/halfpercent/config.toml").read_bytes() == (
        ROOT / "systemd/config.example.toml"
    ).read_bytes()


def test_settings_are_never_overwritten_and_an_upgrade_brings_the_rest_up_to_date(tmp_path: Path) -> None:
    run("files", tmp_path)
    mine = tmp_path / "etc/halfpercent/config.toml"
    unit = tmp_path / LIB / "systemd/system/halfpercent.service"
    mine.write_text("# mine\n", encoding="utf-8")
    as_put = unit.read_bytes()
    unit.write_text("# Of halfpercent: make install writes this file.\n# older\n", encoding="utf-8")
    run("files", tmp_path)
    assert mine.read_text(encoding="utf-8") == "# mine\n"
    assert unit.read_bytes() == as_put


def test_settings_that_are_a_link_to_nowhere_are_left_alone_too(tmp_path: Path) -> None:
    link = tmp_path / "etc/halfpercent/config.toml"
    link.parent.mkdir(parents=True)
    link.symlink_to("/media/not-there/config.toml")
    run("files", tmp_path)
    assert link.is_symlink()


def test_uninstalling_leaves_settings_certificates_and_data(tmp_path: Path) -> None:
    run("files", tmp_path)
    kept = ("etc/halfpercent/config.toml", "etc/halfpercent/certificate.toml", "var/lib/halfpercent/halfpercent.db")
    gone = (
        "opt/halfpercent/pyvenv.cfg",
        "opt/halfpercent/bin/python",
        "opt/halfpercent.new/half",
        "var/cache/halfpercent/fold.nbc",
    )
    for name in (*kept[1:], *gone):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="ascii")
    said = run("uninstall", tmp_path).stdout
    assert files(tmp_path) == set(kept)
    for name in ("/etc/halfpercent", "/var/lib/halfpercent"):
        assert name in said
    run("uninstall", tmp_path)  # again: nothing to do is no mistake


def test_another_prefix_is_everywhere(tmp_path: Path) -> None:
    run("files", tmp_path, PREFIX="/srv/hp")
    unit = (tmp_path / LIB / "systemd/system/halfpercent.service").read_text(encoding="utf-8")
    assert "ExecStart=/srv/hp/bin/halfpercent station" in unit
    assert "/opt/halfpercent" not in unit
    assert (tmp_path / "usr/local/bin/halfpercent").readlink() == Path("/srv/hp/bin/halfpercent")


@pytest.mark.parametrize("prefix", ["/", "opt", "/opt"])
def test_a_prefix_that_could_be_the_system_itself_is_refused(tmp_path: Path, prefix: str) -> None:
    done = run("files", tmp_path, ok=False, PREFIX=prefix)
    assert "PREFIX" in done.stderr
    assert not files(tmp_path)


@pytest.mark.parametrize(
    "prefix", ["/opt/half percent", "/opt/a&b", "/opt/a|b", "/opt/$HOME", "/opt/a\nb", "/opt/a/../b"]
)
def test_a_prefix_that_cannot_stand_in_a_unit_is_refused_in_one_line(tmp_path: Path, prefix: str) -> None:
    for verb in ("files", "install", "uninstall"):
        done = run(verb, tmp_path, ok=False, PREFIX=prefix)
        assert done.stderr.startswith("halfpercent: ")
        assert not files(tmp_path)


def test_sources_may_lie_anywhere(tmp_path: Path) -> None:
    sources = tmp_path / "a & b | c"
    sources.mkdir()
    (sources / "systemd").symlink_to(ROOT / "systemd")
    there = tmp_path / "there"
    done = subprocess.run(
        ["sh", sources / "systemd/install.sh", "files"],
        env=os.environ | {"DESTDIR": str(there)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (there / LIB / "systemd/system/halfpercent-failed.service").is_file()


@pytest.mark.parametrize("verb", ["install", "uninstall", "files"])
def test_a_folder_that_is_no_environment_of_ours_is_never_removed(tmp_path: Path, verb: str) -> None:
    theirs = tmp_path / "usr/local/bin/theirs"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("x", encoding="ascii")
    assert "something else" in run(verb, tmp_path, ok=False, PREFIX="/usr/local").stderr
    assert files(tmp_path) == {"usr/local/bin/theirs"}


def test_an_old_or_missing_python_is_one_line_and_nothing_is_put(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    old.chmod(0o755)
    there = tmp_path / "there"
    for python in (str(old), str(tmp_path / "none")):
        done = run("install", there, ok=False, PYTHON=python)
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("halfpercent: ")
        assert not there.exists()


def test_missing_wheels_are_one_line_and_what_was_installed_is_still_there(tmp_path: Path) -> None:
    program = tmp_path / "opt/halfpercent/bin/halfpercent"
    program.parent.mkdir(parents=True)
    (tmp_path / "opt/halfpercent/pyvenv.cfg").touch()
    program.write_text("the one before", encoding="ascii")
    done = run("install", tmp_path, ok=False, WHEELS=str(tmp_path / "no-such-folder"), PYTHON="python3")
    assert "no-such-folder" in done.stderr
    assert program.read_text(encoding="ascii") == "the one before"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("", ["dtparam=i2c_arm=on", "dtparam=spi=on"]),
        ("#dtparam=i2c_arm=on\n#dtparam=spi=on\n", ["dtparam=i2c_arm=on", "dtparam=spi=on"]),
        ("dtparam=i2c_arm=on\ndtparam=spi=on\n", []),
        ("dtparam=i2c_arm=on,spi=on\n", []),
        ("dtparam=i2c=on\ndtparam=audio=on\n", ["dtparam=spi=on"]),
        ("dtparam=i2c_arm=off\ndtparam=spi=on # wanted\n", ["dtparam=i2c_arm=on"]),
        ("dtparam=i2c_vc=on\ndtparam=spi\n", ["dtparam=i2c_arm=on"]),
        ("dtparam=i2c_arm=on\r\ndtparam=spi=on\r\n", []),
    ],
)
def test_lines_that_the_pis_own_file_lacks_are_said_and_the_file_is_not_touched(
    tmp_path: Path, text: str, missing: list[str]
) -> None:
    config = tmp_path / "boot/firmware/config.txt"
    config.parent.mkdir(parents=True)
    config.write_bytes(text.encode())
    assert run("boot-lines", tmp_path).stdout.split() == missing
    assert config.read_bytes() == text.encode()


def test_a_machine_that_is_no_pi_lacks_no_line(tmp_path: Path) -> None:
    assert run("boot-lines", tmp_path).stdout == ""


def test_the_script_says_what_it_wants() -> None:
    for argv in ([], ["instal"], ["install", "DESTDIR=/elsewhere"]):
        done = subprocess.run(["sh", SCRIPT, *argv], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
