"""A load cell read live: a tap, a finger, a load, a loose and a swapped wire are named; no thermometer is needed."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from calibration.certificate import BridgeChip, Cell, Certificate
from calibration.weights import ASSUMED_AIR
from edge.cli.main import cli
from edge.doctor.live_reading import LiveReading
from edge.doctor.touch import SeenKind, Touches
from edge.errors import BadConfig
from edge.guided_calibration.bench import Bench
from edge.guided_calibration.place import nominal_oven_rtd
from edge.guided_calibration.session import Session
from edge.guided_calibration.steps import read_tare
from edge.instrument.acquisition import Instrument
from edge.instrument.config import Config, load_config, loads_config, oven_of, usual
from edge.instrument.device_lock import DeviceLock
from edge.records.frame import Frames, join, one_frame
from edge.simulate.instrument import build
from edge.simulate.touched import simulated_reading
from hw.protocols import Conversion, Status

IN_ORDER = ["tap", "held", "let go", "load", "let go", "loose wire", "lighter", "swapped wires", "let go"]
LOAD_CELL_ALONE = '[bridge]\nchip = "nau7802"\n'


@pytest.mark.parametrize("bridge", ["nau7802", "hx711"])
def test_what_somebody_does_to_a_cell_is_named_in_its_order(bridge: str) -> None:
    words = ["read", "--simulate", "--bridge", bridge, "--speed", "0", "--for", "50", "--json"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    seconds = [json.loads(line) for line in done.stdout.splitlines()]
    assert [seen["what"] for second in seconds for seen in second["seen"]] == IN_ORDER
    loaded = [s["mass_g"] for s in seconds if 21.0 <= s["t_s"] < 23.0]
    assert loaded == pytest.approx([100.0] * len(loaded), abs=0.1)
    assert all(s["mass_g"] is None for s in seconds if s["t_s"] < 4.0)  # the zero is being taken
    rates = [s["rate_sps"] for s in seconds if s["statuses"] == {"ok": 10}]
    assert all(9.0 < rate < 13.0 for rate in rates)


def test_a_load_cell_alone_is_read_without_a_certificate_in_codes() -> None:
    made = simulated_reading("nau7802", 3, 0.0)
    bridge = made.instrument._bridge
    alone = Instrument(bridge, None, None, made.clock)
    config = msgspec.structs.replace(made.config, oven_probe=None, cell_probe=None)
    alone.open()
    try:
        seconds = list(LiveReading(alone, config, None, made.clock).seconds(10))
    finally:
        alone.close()
    assert all(s.mass_g is None and s.oven_c is None and s.cell_c is None for s in seconds)
    assert [s.code is not None for s in seconds] == [False] + [True] * 9
    assert seconds[-1].seen == ()
    assert sum((s.seen for s in seconds), ())[0].say.startswith("a tap: ")
    assert "codes" in seconds[7].seen[0].say


def test_a_load_cell_alone_is_tared() -> None:
    made = build("solid", "nau7802", 5)
    alone = Instrument(made.instrument._bridge, None, None, made.clock)
    config = loads_config(LOAD_CELL_ALONE)
    session = Session(
        name="cell",
        made_by="ada",
        begun=dt.date(2026, 11, 26),
        begun_clock_set=None,
        cell=Cell(capacity_g=500.0, serial="1"),
        bridge=BridgeChip(chip="nau7802", gain=128),
        oven_rtd=nominal_oven_rtd(config, "B"),
        cell_rtd=None,
        valid_months=12,
        air=ASSUMED_AIR,
    )
    with Bench(lambda: alone, made.clock, None, ask=lambda _text: "") as bench:
        tared = read_tare(bench, session, lambda _session: None)
    assert tared.tare is not None
    assert tared.tare.oven_c is None
    assert tared.tare.u_code < 10.0


def test_settings_of_a_load_cell_alone_are_right_and_begin_no_test(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(LOAD_CELL_ALONE, encoding="utf-8")
    done = CliRunner().invoke(cli, ["check-config", str(file)])
    assert done.exit_code == 0
    assert "a test needs the oven's temperature" in done.stdout
    with pytest.raises(BadConfig, match=r"oven_probe\] is missing"):
        oven_of(load_config(file))
    run = CliRunner().invoke(cli, ["run", "--sample", "a", "--operator", "b", "--config", str(file)])
    assert isinstance(run.exception, BadConfig)


def test_beside_whoever_reads_the_chip_it_is_left_alone_and_said_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(LOAD_CELL_ALONE, encoding="utf-8")
    held = DeviceLock("nau7802", ("i2c-1-2a",))
    held.take()
    try:
        done = CliRunner().invoke(cli, ["read", "--config", str(file), "--for", "1"])
    finally:
        held.drop()
    assert done.exit_code == 1
    assert "reads this chip" in str(done.exception)


def test_the_simulated_rigs_options_are_for_the_simulated_rig() -> None:
    assert CliRunner().invoke(cli, ["read", "--seed", "3"]).exit_code == 2
    assert CliRunner().invoke(cli, ["read", "--simulate", "--config", "a.toml"]).exit_code == 2


def of_codes(codes: list[int], status: Status = Status.OK) -> Frames:
    return one_frame(0, 0, [Conversion(i * 100_000_000, code, status) for i, code in enumerate(codes)])


def with_tare(certificate: Certificate, tare: float) -> Certificate:
    return msgspec.structs.replace(certificate, tare_counts=tare)


def test_a_holder_that_is_the_mirror_of_the_certificates_is_swapped_wires() -> None:
    made = simulated_reading("nau7802", 1, 0.0)
    touches = Touches(made.config.bridge, with_tare(made.certificate, 900_000.0))
    seen = [s for k in range(3) for s in touches.look(of_codes([-900_000 + (i * 7 + k) % 5 for i in range(10)]))]
    assert [s.what for s in seen] == [SeenKind.SWAPPED]


@pytest.mark.parametrize("status", [s for s in Status if s not in (Status.OK, Status.SETTLING)])
def test_each_status_says_what_to_look_at_once(status: Status) -> None:
    config: Config = usual("nau7802")
    touches = Touches(config.bridge, None)
    frames = of_codes([0] * 10, status)
    seen = [s for _ in range(3) for s in touches.look(frames)]
    assert len(seen) == 1
    assert len(seen[0].say) > 20


def test_a_quiet_cell_that_drifts_is_not_touched() -> None:
    touches = Touches(usual("nau7802").bridge, None)
    seconds = [of_codes([5 * k + (i * 13) % 7 for i in range(10)]) for k in range(60)]
    assert [s for frames in seconds for s in touches.look(frames)] == []
    assert len(join(seconds[:1])) == 1
