"""What ``init`` asks becomes settings that are right, on the screen or in a new file, and never over an old one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.cli.main import cli
from edge.errors import BadInput
from edge.instrument.config import loads_config

TWO_PT100 = ["y", "50", "Pt100", "4", "430", "0", "y", "Pt100", "4", "430", "1"]
NOTHING_MORE = ["declared", "none", "", "", "", "", ""]


def answered(*answers: str, words: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(cli, ["init", *words], input="".join(f"{a}\n" for a in answers))


def test_enter_alone_describes_the_usual_rig() -> None:
    config = loads_config(answered(*[""] * 30).stdout)
    assert config.bridge.chip == "nau7802"
    assert config.oven_probe is not None
    assert config.cell_probe is not None
    assert (config.oven_probe.ref_ohm, config.oven_probe.wires, config.cell_probe.chip_select) == (430.0, 4, 1)
    assert config.vacuum.gauge == "declared"


def test_an_hx711_alone_is_two_pins_and_no_thermometer() -> None:
    done = answered("2", "6", "board29", "n", "n", *NOTHING_MORE)
    config = loads_config(done.stdout)
    assert (config.bridge.sck_pin, config.bridge.dout_pin, config.oven_probe) == ("GPIO6", "BOARD29", None)
    assert "HX711" in done.stderr  # the wiring is shown beside the settings


def test_a_gauge_a_panel_and_a_certificate_are_taken() -> None:
    more = ["ads1115", "1:0.1 9:100000", "bmp280", "GPIO22", "", "", "GPIO25", "cell.toml"]
    config = loads_config(answered("1", *TWO_PT100, *more).stdout)
    assert config.vacuum.curve == ((1.0, 0.1), (9.0, 100000.0))
    assert (config.panel.lamp_pin, config.panel.buzzer_pin, config.panel.relay_pin) == ("GPIO22", None, "GPIO25")
    assert config.barometer is not None
    assert config.barometer.chip == "bmp280"
    assert config.test.certificate == str(Path("cell.toml").absolute())


def test_a_file_is_written_once_and_the_doctor_looks(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    done = answered("1", "n", "n", *NOTHING_MORE, words=(str(file),))
    assert done.exit_code == 0, done.output
    assert loads_config(file.read_text(encoding="utf-8")).oven_probe is None
    assert "Written: " in done.stdout
    assert "python: Python 3" in done.stdout
    before = file.read_bytes()
    again = answered("1", "n", "n", *NOTHING_MORE, words=(str(file),))
    assert isinstance(again.exception, BadInput)
    assert file.read_bytes() == before


def test_answers_that_contradict_each_other_write_nothing(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    done = answered("2", "GPIO5", "GPIO5", "n", "n", *NOTHING_MORE, words=(str(file),))
    assert done.exit_code == 1
    assert "sck_pin and dout_pin are both GPIO5" in str(done.exception)
    assert not file.exists()


def test_where_nobody_answers_it_ends_with_one_line() -> None:
    done = answered("1")
    assert done.exit_code == 1
    assert "nobody answered: nothing was written" in done.output


@given(
    answers=st.lists(st.sampled_from(["", "1", "2", "y", "n", "Pt1000", "430", "GPIO5", "x", "0", "4"]), max_size=40)
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_answered_gives_right_settings_or_none(answers: list[str]) -> None:
    done = answered(*answers)
    if done.exit_code == 0:
        loads_config(done.stdout)
    else:
        assert done.stdout == ""


@pytest.mark.parametrize("pin", ["", "GPIO", "5x", "PIN5"])
def test_what_is_no_pin_is_asked_again(pin: str) -> None:
    done = answered("2", pin or "nothing", "GPIO6", "GPIO5", "n", "n", *NOTHING_MORE)
    assert loads_config(done.stdout).bridge.sck_pin == "GPIO6"
    assert "is no pin" in done.stderr
