"""A night's file: what it may say, and the one line that each mistake is answered with."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import ROOT

from edge.errors import BadInput
from edge.instrument.config import usual
from edge.records.phase import Phase
from edge.simulate.night_file import (
    EVENTS,
    PHASES,
    Command,
    NightEvent,
    PowerCut,
    Settings,
    Step,
    edited,
    load_night,
    loads_night,
    shipped_nights,
)


def event(*lines: str) -> str:
    return "\n".join(("[[event]]", 'at = "hold+600s"', *lines, ""))


def test_a_night_is_read_as_it_is_written() -> None:
    night = loads_night(
        'title = "Two things"\nscenario = "hybrid"\nseed = 7\nbridge = "hx711"\nloss_pct = 0.35\nzero_after = true\n'
        'check_weight_g = 200\naccepted = ["FAIL", "INVALID"]\n'
        + event('what = "step"', "mg = 90")
        + event('what = "power_cut"', "off_s = 2.5")
    )
    head = night.head
    assert (head.title, head.scenario, head.seed, head.bridge) == ("Two things", "hybrid", 7, "hx711")
    assert (head.loss_pct, head.zero_after, head.check_weight_g) == (0.35, True, 200.0)
    assert head.accepted == ("FAIL", "INVALID")
    assert night.events == (
        NightEvent(Phase.HOLD, 600.0, Step(mg=90.0)),
        NightEvent(Phase.HOLD, 600.0, PowerCut(off_s=2.5, clock_set=True)),
    )
    assert str(night.events[0]) == "step (mg 90.0)"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("seed = -1", "n.toml: seed = -1: give a whole number, 0 to 2147483647"),
        ("sed = 1", "n.toml: sed is unknown: did you mean seed?"),
        ('scenario = "wet"', "n.toml: scenario = 'wet': give"),
        ('bridge = "hx712"', "n.toml: bridge = 'hx712': give"),
        ('accepted = ["MAYBE"]', "n.toml: accepted[0] = 'MAYBE': give"),
        ("loss_pct = 51", "n.toml: loss_pct = 51: give a loss in %, 0 to 50"),
        ("event = 3", "n.toml: event is no list of tables: write each as [[event]]"),
        ("[[events]]", "n.toml: events is unknown: write each as a table [[event]]"),
        ("[[event]]", "n.toml: event 1: what is missing: add one of restart, "),
        (event('what = "stp"'), "n.toml: event 1: what = 'stp' is unknown: did you mean step?"),
        (event('what = "step"'), "n.toml: event 1 (step): mg is missing: add a mass in mg"),
        (event('what = "step"', "mg = 1") + event('what = "restart"', "off_s = -1"),
         "n.toml: event 2 (restart): off_s = -1: give a time in s, 0 to 86400"),
        (event('what = "step"', "mg = 1", "kg = 1"), "n.toml: event 1 (step): kg is unknown: use mg"),
        (event('what = "step"', "mg = nan"), "n.toml: event 1 (step): mg = nan: give a mass in mg"),
        (event('what = "unplug"', 'device = "pump"', "for_s = 1"), "n.toml: event 1 (unplug): device = 'pump': give"),
        (event('what = "command"'), "n.toml: event 1 (command): give either command or skip"),
        (event('what = "settings"', 'key = "bridge.gain"', "value = 3"),
         "n.toml: event 1 (settings): bridge.gain = 3: give 32 or 64 or 128"),
        (event('what = "settings"', 'key = "bridge.gin"', "value = 3"),
         'n.toml: event 1 (settings): key = "bridge.gin" is no setting'),
        ('[[event]]\nwhat = "step"\nmg = 1\n',
         'n.toml: event 1 (step): at is missing: add a phase and the seconds since it began, such as "hold+600s"'),
        ('[[event]]\nat = "hold"\nwhat = "step"\nmg = 1\n', "n.toml: event 1 (step): at = 'hold': give a phase and"),
        ('[[event]]\nat = "hold+5"\nwhat = "step"\nmg = 1\n', "n.toml: event 1 (step): at = 'hold+5': give a"),
        ('[[event]]\nat = "held+5s"\nwhat = "step"\nmg = 1\n',
         "n.toml: event 1 (step): at = 'held+5s': held is no phase: use tare, checkbefore, "),
        ("a.b = 1", "n.toml: line 1 has a dotted key: write [[event]]"),
        ("seed = 1\n[a.b]", "n.toml: line 2 has a dotted key: write [[event]]"),
        ("1.2.3.4 = 1", "n.toml: line 1 has a dotted key: write [[event]]"),
        ('x = {"a"."b" = 1}', "n.toml: line 1 has a dotted key: write [[event]]"),
        ('title = """\na\n"""', "n.toml: a text of several lines: write it as one line"),
        ("title = ", "n.toml: not TOML: "),
        ("title = " + "[" * 20_000, "n.toml: not usable TOML: nested too deeply"),
        ("#" * 70_000, "n.toml: longer than 64000 bytes: a night is a page of events"),
        (event('what = "brown_out"') * 201, "n.toml: 201 events: a night has at most 200"),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_in_one_line_that_says_where_and_what_is_right(text: str, line: str) -> None:
    with pytest.raises(BadInput) as bad:
        loads_night(text, "n.toml")
    assert str(bad.value).startswith(line)
    assert "\n" not in str(bad.value)
    assert len(str(bad.value)) <= 420


def test_sixty_kilobytes_of_dotted_keys_are_never_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.simulate.night_file.parse", lambda *_given: pytest.fail("it is parsed"))
    with pytest.raises(BadInput, match="dotted key"):
        loads_night("a" + ".a" * 30_000 + " = 1")


def test_a_dot_in_a_text_a_number_or_a_remark_is_none_of_a_key() -> None:
    night = loads_night('title = "a.b.c" # see a.b.c\nloss_pct = 0.35 # e.g.\n' + event('what = "step"', "mg = 1.5"))
    assert night.head.title == "a.b.c"


def test_a_file_that_is_not_there_and_a_name_that_is_not_shipped_are_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        load_night(str(tmp_path / "n.toml"))
    with pytest.raises(BadInput, match="did you mean quiet"):
        load_night("quiett")


def test_each_shipped_night_can_be_read_and_says_which_verdicts_it_may_have() -> None:
    names = shipped_nights()
    assert len(names) >= 18
    for name in names:
        night = load_night(name)
        assert night.name == name
        assert night.head.accepted, name
        assert night.head.title != "a night", name
    used = {event.happens.WHAT for name in names for event in load_night(name).events}
    assert {"restart", "power_cut", "brown_out", "lift_sample", "drop_sample", "step", "zero_drift"} <= used


def test_no_shipped_night_accepts_a_verdict_that_its_loss_forbids() -> None:
    for name in shipped_nights():
        head = load_night(name).head
        loss_pct = 0.1 if head.loss_pct is None else head.loss_pct
        assert ("PASS" if loss_pct > 0.5 else "FAIL") not in head.accepted, name


def test_the_page_has_each_event_and_each_phase() -> None:
    page = (ROOT / "docs" / "nights.md").read_text(encoding="utf-8")
    assert [what for what in EVENTS if f"| `{what}` |" not in page] == []
    assert [phase for phase in PHASES if f"`{phase}`" not in page] == []


def test_edited_settings_are_settings_or_are_refused() -> None:
    config = usual("nau7802")
    assert edited(config, Settings(key="bridge.gain", value=64)).bridge.gain == 64
    with pytest.raises(BadInput, match="is no setting"):
        edited(config, Settings(key="vacuum.gauges", value="x"))


def test_a_command_may_be_one_that_never_comes() -> None:
    assert loads_night(event('what = "command"', 'skip = "zero"')).events[0].happens == Command(skip="zero")
