"""The guided calibration: what it finds is the rig's truth within what it states, from the command line to the fold."""

from __future__ import annotations

import datetime as dt
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from guided_lab import TWO_WIRES, Lab, halfpercent
from msgspec.structs import replace
from repository import ROOT

from calibration.certificate import Certificate, certificate_hash, load_certificate
from edge.fold import kernel, layout
from edge.guided_calibration.certify import certify, span_points
from edge.guided_calibration.session import Piece, Session
from edge.procedure.parameters import live_parameters
from edge.simulate.bench import SimulatedBench
from edge.simulate.instrument import GAIN, rig_of
from edge.standards.standard import load_standard
from hw.clock import SimClock

DOCS = ROOT / "docs" / "calibration.md"
WEIGHTS = ["--weight", "50:F1", "--weight", "100:F1", "--weight", "200:F1"]
CODES_PER_RATIO = GAIN * 2.0 * 2.0**23
AIR_G_CM3 = 1.184e-3


def truth(seed: int, t_ref_c: float) -> dict[str, float]:
    """What is true of the rig that ``seed`` draws, in a certificate's terms: the holder hangs on it all the time."""
    rig = rig_of("solid", seed).truth
    cell = rig.cell
    per_g = cell.ratio_at_capacity / cell.capacity_g * CODES_PER_RATIO
    holder_g = rig.holder_g * (1.0 - AIR_G_CM3 / rig.holder_density_g_cm3)
    return {
        "span": per_g * (1.0 + cell.span_per_k * (t_ref_c - cell.t_ref_c)),
        "zero": cell.zero_ratio_per_k * CODES_PER_RATIO + cell.span_per_k * per_g * holder_g,
        "span_per_k": cell.span_per_k,
        "lag_s": cell.lag_s,
        "per_oven": cell.cell_per_oven,
    }


def holds(found: float, u: float, true: float) -> None:
    assert abs(found - true) <= 3.0 * u, f"{found} ± {u}, truly {true}"


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("bridge", ["nau7802", "hx711"])
def test_a_span_is_the_rig_s_within_three_standard_uncertainties(tmp_path: Path, seed: int, bridge: str) -> None:
    lab = Lab(tmp_path, seed, "--bridge", bridge)
    lab.done("tare")
    lab.done("span", *WEIGHTS)
    span, t = lab.certificate.span, lab.certificate.temperature
    true = truth(seed, t.t_ref_c)["span"]
    # off by the weights' hidden errors and by air of 1.184 kg/m³ where 1.2 was assumed
    holds(span.counts_per_g, span.u_counts_per_g, true)
    assert span.u_counts_per_g < 3e-5 * true  # and of use
    assert lab.certificate.bridge.chip == bridge


def test_the_documentation_shows_what_the_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = DOCS.read_text(encoding="utf-8").split("```text\n", 1)[1].split("```", 1)[0]
    for shown in text.removeprefix("$ ").split("\n$ "):
        command, _, said = shown.partition("\n")
        assert command.startswith("halfpercent ")
        printed = halfpercent(*command.split()[1:])
        assert printed.status == 0, printed.err
        assert printed.out.replace(f"{tmp_path.resolve()}/", "").strip() == said.strip()


@pytest.fixture(scope="module", params=[4])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, int, str]:
    """A whole calibration, through the command."""
    lab = Lab(tmp_path_factory.mktemp("whole"), request.param)
    lab.done("tare", "--air", "1013,25,0")
    lab.done("span", *WEIGHTS)
    lab.done("temperature", "--hours", "4")
    lab.done("temperature", "--weight", "200:F1", "--hours", "5")
    return lab, request.param, lab.done("return").out


def test_temperature_coefficients_are_the_rig_s_within_three_standard_uncertainties(
    whole: tuple[Lab, int, str],
) -> None:
    lab, seed, _ = whole
    t = lab.certificate.temperature
    true = truth(seed, t.t_ref_c)
    holds(t.zero_counts_per_k, t.u_zero_counts_per_k, true["zero"])
    holds(t.span_per_k, t.u_span_per_k, true["span_per_k"])
    assert t.u_zero_counts_per_k < 0.2 * true["zero"]  # and of use
    assert t.cell_source == "probe"
    stability = lab.certificate.stability
    # 4 mg after an hour, from records of 4 h and 3.75 h: chi squared with so few degrees of freedom is wide
    assert 0.25 <= stability.zero_walk_g / 0.004 <= 3.0
    assert stability.zero_drift_g == 0.0
    assert 0.0 < stability.creep_pct_fs < 0.05
    assert stability.u_creep_kept == 0.0  # "too small", it was said


def test_what_was_found_is_said_in_plain_words(whole: tuple[Lab, int, str]) -> None:
    lab, _, out = whole
    assert "the empty cell's code rises as it warms" in out  # every drawn rig's zero does
    assert "a quadratic is not worth having, its term is smaller than 2.8 times its uncertainty" in out  # t, 4 degrees
    assert "hysteresis" in out
    assert "too small against the wander of the zero" in out  # of this rig's creep, to see its return
    assert "ppm per K" in out
    assert f'certificate = "{lab.certificates[-1].resolve()}"' in out


def test_the_certificate_holds_everything_that_was_recorded(whole: tuple[Lab, int, str]) -> None:
    lab, _, _ = whole
    c = lab.certificate
    assert c.recorded
    assert c.record is not None
    assert c.sha256 == certificate_hash(c)
    assert [(p.mass_g, p.rising) for p in c.record.points] == [
        (0.0, True), (50.0, True), (100.0, True), (200.0, True), (100.0, False), (50.0, False), (0.0, False)
    ]  # fmt: skip
    assert [w.stated for w in c.record.weights] == ["class F1"] * 3
    assert (c.record.air.origin, c.record.air.pressure_pa) == ("declared", 101_300.0)
    assert c.record.air.density_kg_m3 == pytest.approx(0.34848 * 1013.0 / 298.15, rel=2e-4)  # OIML R 111-1, E.3
    assert np.array(c.record.span.covariance).shape == (2, 2)
    assert c.record.zero_slope is not None
    assert c.record.loaded_slope is not None
    assert c.record.zero_slope.minutes == 240
    assert c.record.loaded_slope.weight_g == pytest.approx(200.0, abs=0.04)
    assert (c.made_at, c.valid_until) == (dt.date(2026, 11, 2), dt.date(2027, 11, 2))
    assert not any("temperature" in line or "creep" in line for line in c.record.assumed)


def test_each_step_leaves_a_certificate_and_none_is_written_over(whole: tuple[Lab, int, str]) -> None:
    lab, _, _ = whole
    assert [p.name for p in lab.certificates] == [
        "cell-2026-11-02.toml", "cell-2026-11-02-2.toml", "cell-2026-11-02-3.toml", "cell-2026-11-02-4.toml"
    ]  # fmt: skip
    first = load_certificate(lab.certificates[0])
    assert first.temperature.zero_counts_per_k == 0.0  # not measured then, and it says so
    assert first.record is not None
    assert any("temperature: not measured" in line for line in first.record.assumed)


def test_a_forecast_and_a_run_take_the_new_certificate(whole: tuple[Lab, int, str]) -> None:
    lab, _, _ = whole
    said = halfpercent("budget", "--sample-mass", "200", "--certificate", lab.certificates[-1])
    assert said.status == 0, said.err
    assert lab.certificate.name in said.out


def test_codes_of_the_same_rig_weigh_right_with_the_new_certificate(whole: tuple[Lab, int, str]) -> None:
    """The fold with the certificate's numbers: a warm cell and a cold one give the same grams, and they are true."""
    lab, seed, _ = whole
    certificate = lab.certificate
    terms = live_parameters(load_standard("gbt-48093-1-2026"), certificate)
    bench = SimulatedBench(_config(), seed)
    with bench:
        tare = _mean_code(bench.record(120), terms.fold)
        bench.rig.place_weight(150.0)
        bench.record(60)
        load_g = 150.0 * (1.0 - AIR_G_CM3 / 7.95)
        cold_g = _mean_g(bench.record(120), terms.fold | {"tare_code": tare})
        bench.rig.heat(True)
        bench.record(5400)
        warm_g = _mean_g(bench.record(120), terms.fold | {"tare_code": tare})
    assert cold_g == pytest.approx(load_g, abs=0.006)  # 3 mg of creep, and the walk
    # 11 K warmer: 0.14 g of zero and 0.03 g of span were taken out, but for a tenth of them and the walk of 1.5 h
    assert warm_g == pytest.approx(cold_g, abs=0.03)


def _config():  # type: ignore[no-untyped-def]
    from edge.instrument.config import usual

    return usual("nau7802")


def _mean_g(frames, params) -> float:  # type: ignore[no-untyped-def]
    return float(np.mean(_rows(frames, params)["mass_g"][5:]))


def _mean_code(frames, params) -> float:  # type: ignore[no-untyped-def]
    return float(np.mean(_rows(frames, params)["zero_code"][5:]))


def _rows(frames, params):  # type: ignore[no-untyped-def]
    from edge.fold.block import block_from_frames

    return kernel.advance(
        layout.new_state(), layout.new_params(**params), block_from_frames(frames, int(frames.t_ns[0]))
    )[1]


def test_without_a_thermometer_on_the_cell_the_lag_behind_the_oven_is_found(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(TWO_WIRES.replace("wires = 2", "wires = 4"), encoding="utf-8")
    lab = Lab(tmp_path, 5, "--config", config)
    lab.done("tare")
    lab.done("span", *WEIGHTS)
    assert "lag not measured" in str(lab.certificate.record)
    said = lab.done("temperature", "--hours", "4")
    t = lab.certificate.temperature
    assert (t.cell_source, t.cell_offset_c, t.cell_per_oven) == ("oven_lag", 0.0, 1.0)
    assert t.lag_s is not None
    assert lab.certificate.record is not None
    lag = lab.certificate.record.lag
    assert lag is not None
    true = truth(5, t.t_ref_c)
    holds(t.lag_s, lag.u_lag_s, true["lag_s"])
    # only the product is known: counts per K of the cell, times how much of the oven's degrees reach it
    holds(t.zero_counts_per_k, t.u_zero_counts_per_k, true["zero"] * true["per_oven"])
    assert "behind the oven" in said.out
    assert t.u_cell_temp_c > 5.0  # the room's part is not known, and in the oven's degrees it is large


# resuming


def stopped_after(monkeypatch: pytest.MonkeyPatch, puts: int) -> None:
    """Have Ctrl-C pressed when one more weight is asked for."""
    put, seen = SimulatedBench.put, []

    def once_more(self, weight) -> None:  # type: ignore[no-untyped-def]
        seen.append(weight)
        if len(seen) > puts:
            raise KeyboardInterrupt
        put(self, weight)

    monkeypatch.setattr(SimulatedBench, "put", once_more)


def test_a_span_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(tmp_path, 1)
    lab.done("tare")
    with monkeypatch.context() as patched:
        stopped_after(patched, 3)  # the empty holder and two weights
        assert "keyboard" in lab.calibrate("span", *WEIGHTS).line
    assert [p.mass_g for p in lab.session.points] == [0.0, 50.0, 100.0]
    assert not (tmp_path / "certificates").exists()
    assert "go on with these" in lab.calibrate("span", "--weight", "20:F1", "--weight", "200:F1").line
    said = lab.done("span")
    assert "Going on: first the empty holder again" in said.out
    assert [(p.mass_g, p.piece) for p in lab.session.points] == [
        (0.0, 0), (50.0, 0), (100.0, 0), (0.0, 1), (200.0, 1), (100.0, 1), (50.0, 1), (0.0, 1)
    ]  # fmt: skip
    c = lab.certificate
    holds(c.span.counts_per_g, c.span.u_counts_per_g, truth(1, c.temperature.t_ref_c)["span"])


def test_a_converter_that_comes_back_elsewhere_does_not_bend_the_span(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power-up may move every code (NAU7802: by 0.5 to 1 % of full scale): the empty holder is read again."""
    lab = Lab(tmp_path, 1)
    lab.done("tare")
    with monkeypatch.context() as patched:
        stopped_after(patched, 3)
        lab.calibrate("span", *WEIGHTS)
    lab.done("span")
    before = certify(lab.session, dt.date(2026, 1, 1)).found.span
    moved = [replace(p, code=p.code + 40_000.0 * p.piece) for p in lab.session.points]
    after = certify(replace(lab.session, points=tuple(moved)), dt.date(2026, 1, 1)).found.span
    assert after.counts_per_g == pytest.approx(before.counts_per_g, rel=1e-12)
    assert after.residual_g == pytest.approx(before.residual_g, rel=1e-6)


def test_a_temperature_record_in_two_pieces_with_a_step_between_gives_the_same_slope(
    whole: tuple[Lab, int, str],
) -> None:
    lab, _, _ = whole
    session = lab.session
    assert session.empty is not None
    (piece,) = session.empty.pieces
    cut, step = 100, 40_000.0
    later = tuple((t, code + step, *rest) for t, code, *rest in piece.minutes[cut:])
    start_s = later[0][0]  # the second's minutes are counted from its own start
    second = Piece(
        boot_id=piece.boot_id,
        t0_ns=piece.t0_ns + round(start_s * 1e9),
        wall_s=piece.wall_s + start_s,
        minutes=tuple((t - start_s, *rest) for t, *rest in later),  # type: ignore[misc]
    )
    two = (replace(piece, minutes=piece.minutes[:cut]), second)
    split = replace(session, empty=replace(session.empty, pieces=two))
    one, both = (certify(s, dt.date(2026, 1, 1)).found.zero for s in (session, split))
    assert one is not None
    assert both is not None
    assert both.offsets[1] == pytest.approx(step, abs=50.0)
    assert abs(both.per_k - one.per_k) <= 2.0 * both.u_per_k


def test_killed_in_the_middle_of_the_night_the_rest_is_recorded_later(tmp_path: Path) -> None:
    lab = Lab(tmp_path, 2)
    lab.done("tare")
    words = ["calibrate", "temperature", "--hours", "1.2", *map(str, lab.words)]
    child = subprocess.Popen([sys.executable, "-m", "edge", *words], stdout=subprocess.DEVNULL, cwd=tmp_path)
    kept = tmp_path / "calibration" / "cell.session.json"
    before, deadline = kept.read_bytes(), time.monotonic() + 60.0
    while kept.read_bytes() == before and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    session = lab.session  # whole, whatever the moment
    assert session.empty is not None
    assert 0.0 < session.empty.hours < 1.2
    lab.done("temperature", "--hours", "1.2")
    assert lab.session.empty is not None
    assert lab.session.empty.hours == pytest.approx(1.2)
    assert len(lab.session.empty.pieces) == 2
    assert "recorded already" in lab.done("temperature", "--hours", "1").out


def test_a_night_that_shows_nothing_is_said_and_does_not_stand_in_the_way_of_the_span(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SimulatedBench, "warm", lambda *args, **more: None)  # nobody heats
    lab = Lab(tmp_path)
    lab.done("tare")
    lab.done("temperature", "--hours", "1.1")
    said = lab.done("span", *WEIGHTS)
    assert (
        "assumed: temperature: recorded, not used: the cell's temperature moved by 0.0 K: warm and cool it" in said.out
    )
    assert lab.certificate.temperature.zero_counts_per_k == 0.0
    assert lab.certificate.temperature.u_zero_counts_per_k > 50.0  # what the class allows


# the sign, on a made-up cell


def made_up(session: Session, zero_per_k: float) -> Session:
    """Get the session with a made-up night: the empty cell's code rises by so much per K."""
    assert session.empty is not None
    rng = np.random.default_rng(7)
    minutes = tuple(
        (60.0 * i + 30.0, 1000.0 + zero_per_k * (t - 25.0) + 2.0 * float(rng.standard_normal()), 20.0, t, 25.0)
        for i in range(300)
        for t in [25.0 + 12.0 * math.sin(math.pi * i / 300.0)]
    )  # fmt: skip
    piece = Piece(boot_id="made up", t0_ns=0, wall_s=0.0, minutes=minutes)
    return replace(session, empty=replace(session.empty, pieces=(piece,)), loaded=None)


def test_a_certificate_of_a_clock_that_was_not_set_says_so_and_has_no_end(whole: tuple[Lab, int, str]) -> None:
    session, day = whole[0].session, dt.date(2026, 1, 1)
    assert certify(session, day).certificate.valid_until == dt.date(2027, 1, 1)
    for today, clock_set in ((dt.date(1970, 1, 1), None), (day, False)):
        made = certify(session, today, clock_set).certificate
        assert made.valid_until is None
        assert made.record is not None
        assert any("the clock was not set when this was made" in line for line in made.record.assumed)
    later = certify(replace(session, begun=dt.date(1970, 1, 1)), day, True).certificate
    assert later.record is not None
    assert later.record.begun == day
    assert any("the clock was not set when it was begun" in line for line in later.record.assumed)
    assert later.valid_until == dt.date(2027, 1, 1)


@pytest.mark.parametrize("k", [60.0, -60.0])
def test_a_cell_whose_zero_rises_with_temperature_gets_a_positive_coefficient(
    whole: tuple[Lab, int, str], k: float
) -> None:
    certificate = certify(made_up(whole[0].session, k), dt.date(2026, 1, 1)).certificate
    t = certificate.temperature
    assert math.copysign(1.0, t.zero_counts_per_k) == math.copysign(1.0, k)
    holds(t.zero_counts_per_k, t.u_zero_counts_per_k, k)
    # and the fold takes it out: codes that rise by k per K are one mass
    masses = [
        float(_rows(_still(1000.0 + k * (c - 25.0), c), live_fold(certificate))["mass_g"][0]) for c in (20.0, 35.0)
    ]
    assert masses[1] - masses[0] == pytest.approx(0.0, abs=15.0 * 4.0 * t.u_zero_counts_per_k / 4295.0)


def live_fold(certificate: Certificate) -> dict[str, float]:
    return live_parameters(load_standard("gbt-48093-1-2026"), certificate).fold


def _still(code: float, cell_c: float):  # type: ignore[no-untyped-def]
    from edge.records.frame import join, one_frame
    from hw.protocols import Conversion, Reading, Status
    from hw.sim.rig import pt100_ohm

    probe = Reading(0, round(pt100_ohm(cell_c) / 430.0 * 32768.0), 0, Status.OK)
    samples = [Conversion(0, round(code), Status.OK)] * 10
    return join([one_frame(i, i * 10**9, samples, probe, probe) for i in range(2)])


def test_points_are_brought_to_one_temperature(whole: tuple[Lab, int, str]) -> None:
    session = whole[0].session
    warmer = tuple(
        replace(p, cell_c=p.cell_c + 2.0, code=p.code + 120.0) if p.mass_g == 200.0 and p.cell_c is not None else p
        for p in session.points
    )
    moved = span_points(replace(session, points=warmer), 60.0, 25.0)
    for a, b in zip(moved, span_points(session, 60.0, 25.0), strict=True):
        assert a.code == pytest.approx(b.code, abs=1e-6)


def test_the_simulated_person_is_never_asked_by_what_measures() -> None:
    assert isinstance(SimulatedBench(_config(), 1).clock, SimClock)
