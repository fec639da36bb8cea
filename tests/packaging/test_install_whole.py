"""The whole installation, on a machine of fakes: killed at any moment, the old or the new version is there, whole."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_machine import FakeMachine, can_mount, took_s

pytestmark = pytest.mark.skipif(not can_mount(), reason="only root may mount")
IDLE = '{"run": null, "state": "idle"}'


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def make_old(machine: FakeMachine) -> None:
    """Install a version, configured and measuring."""
    machine.install("old")
    settings = machine.root / "etc/halfpercent/config.toml"
    settings.write_text("# a person's\n", encoding="ascii")
    machine.install("old")
    machine.says("active", "active")
    machine.says("running", "old")
    machine.says("status", IDLE)


def make_legacy(machine: FakeMachine) -> None:
    """Have what a version before this one leaves: a folder in the link's place."""
    make_old(machine)
    opt = machine.root / "opt"
    (opt / "halfpercent").unlink()
    (env,) = (p for p in (opt / "halfpercent.envs").iterdir() if p.is_dir())
    env.rename(opt / "halfpercent")
    for path in (opt / "halfpercent.envs").iterdir():
        path.unlink()
    (opt / "halfpercent.envs").rmdir()


def test_a_first_installation_says_what_to_do_next_and_starts_nothing(machine: FakeMachine) -> None:
    said = machine.install("one")
    assert machine.installed() == "one"
    assert "next: correct /etc/halfpercent/config.toml" in said
    assert "restart" not in machine.said("told")
    (env,) = machine.environments()  # of a Python that lgpio has no wheel for: the system's own is seen
    settings = (machine.root / "opt/halfpercent.envs" / env / "pyvenv.cfg").read_text(encoding="ascii")
    assert "include-system-site-packages = true" in settings


def test_an_upgrade_is_started_and_only_then_is_the_old_one_removed(machine: FakeMachine) -> None:
    make_old(machine)
    said = machine.install("new")
    assert "started" in said
    assert machine.installed() == machine.said("running") == "new"
    assert len(machine.environments()) == 1
    assert (machine.root / "etc/halfpercent/config.toml").read_text(encoding="ascii") == "# a person's\n"


def test_an_upgrade_of_a_folder_of_before_is_one_rename_too(machine: FakeMachine) -> None:
    make_legacy(machine)
    machine.install("new")
    assert machine.installed() == machine.said("running") == "new"
    assert (machine.root / "opt/halfpercent").is_symlink()
    assert len(machine.environments()) == 1


@pytest.mark.parametrize("make", [make_old, make_legacy])
def test_a_version_that_does_not_measure_is_rolled_back(machine: FakeMachine, make: object) -> None:
    make(machine)  # type: ignore[operator]  # one of the two
    said = machine.install("never-ready", ok=False)
    assert "the one before is in use again" in said
    assert machine.installed() == machine.said("running") == "old"


def test_one_that_did_not_measure_before_is_not_rolled_back(machine: FakeMachine) -> None:
    make_old(machine)
    machine.says("active", "activating")  # a chip is unplugged
    said = machine.install("never-ready")
    assert "did not before" in said
    assert machine.installed() == "never-ready"


@pytest.mark.parametrize("version", ["unqualified", "strict"])
def test_one_that_does_not_work_here_changes_nothing(machine: FakeMachine, version: str) -> None:
    make_old(machine)
    units = machine.root / "usr/local/lib/systemd/system/halfpercent.service"
    before = units.stat().st_mtime_ns, machine.said("told")
    said = machine.install(version, ok=False)
    assert "nothing was changed" in said
    assert machine.installed() == machine.said("running") == "old"
    assert units.stat().st_mtime_ns == before[0]
    assert "restart" not in machine.said("told").removeprefix(before[1])
    assert len(machine.environments()) == 1


@pytest.mark.parametrize(
    ("status", "says"), [('{"run": {"run_id": 3}}', "a test is being measured"), (None, "does not answer")]
)
def test_it_stops_where_a_test_is_measured_and_where_nobody_answers(
    machine: FakeMachine, status: str | None, says: str
) -> None:
    make_old(machine)
    if status is None:
        (machine.fake / "status").unlink()
    else:
        machine.says("status", status)
    said = machine.install("new", ok=False)
    assert says in said
    assert "FORCE=yes" in said
    assert machine.installed() == machine.said("running") == "old"
    assert machine.installed() == "old"
    machine.install("new", FORCE="yes")
    assert machine.said("running") == "new"


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("usr/local/lib/systemd/system/halfpercent.service", "[Service]\nExecStart=/bin/true\n", "is another's"),
        ("usr/local/bin/halfpercent", "#!/bin/sh\n", "is another's"),
        ("opt/halfpercent", "a file\n", "something else lies"),
    ],
)
def test_what_has_our_name_and_is_anothers_is_never_touched(
    machine: FakeMachine, path: str, text: str, says: str
) -> None:
    theirs = machine.root / path
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.write_text(text, encoding="ascii")
    assert says in machine.install("one", ok=False)
    with machine.start("uninstall", "one") as one:
        assert says in one.communicate()[0]
    assert theirs.read_text(encoding="ascii") == text


def test_an_account_of_our_name_that_is_a_persons_stops_it(machine: FakeMachine) -> None:
    machine.says("passwd", "halfpercent:x:1000:1000:Ada:/home/halfpercent:/bin/bash")
    assert "is not the instrument's" in machine.install("one", ok=False)
    assert machine.said("told") == ""
    machine.says("passwd", "halfpercent:x:997:997::/var/lib/halfpercent:/usr/sbin/nologin")
    machine.install("one")


def test_two_at_a_time_are_one_too_many(machine: FakeMachine) -> None:
    make_old(machine)
    with machine.start("install", "new", SLOW="0.3") as first:
        while not (machine.root / "opt/halfpercent.envs/lock").exists() or len(machine.environments()) < 2:
            assert first.poll() is None
        assert "another installation is going on" in machine.install("newer", ok=False)
        first.communicate()
    assert machine.installed() == "new"


@pytest.mark.parametrize("make", [make_old, make_legacy])
def test_killed_at_any_of_ten_moments_the_old_or_the_new_version_runs(
    machine: FakeMachine, tmp_path: Path, make: Callable[[FakeMachine], None]
) -> None:
    make(machine)
    as_before = tmp_path / "before"
    shutil.copytree(machine.root, as_before, symlinks=True)
    whole_s = took_s(machine, "new")
    draw = random.Random(1)
    for i in range(10):
        shutil.rmtree(machine.root)
        shutil.copytree(as_before, machine.root, symlinks=True)
        for name, text in (("running", "old"), ("active", "active")):
            machine.says(name, text)
        over = machine.killed("new", draw.uniform(0.0 if i % 2 else 0.6 * whole_s, 1.05 * whole_s))
        now = machine.installed()
        assert now in ("old", "new")
        assert now == "new" or not over
        assert machine.said("running") in ("old", "new")  # it was never only stopped
        machine.says("running", now)  # what the next start finds
        machine.install("last")  # and nothing that was left behind is in the way
        assert machine.installed() == machine.said("running") == "last"
        assert len(machine.environments()) == 1
