"""The curve's two drawings: no style, no script, a gap is white, the air is taken out or named, and they are small."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.records.curve import (
    AirAt,
    AirTakenOut,
    Column,
    CurveTerms,
    ForecastAt,
    LiveCurve,
    PhaseSpan,
    PressureKnown,
    RecordedCurve,
    WeighedCurve,
    WindowTaken,
)
from edge.records.phase import Phase
from edge.records.result import HappenedKind, HappenedTold
from edge.records.weighing import WeighingKind
from edge.report.curve import loss_scale_end, page_curve, page_table, report_curve, wider_scale
from edge.report.curve_page import BOTTOM, TOP
from edge.report.curve_parts import air_steps, marks, shape
from edge.report.curve_scale import hms, ticks, time_ticks, top_of_loss
from edge.report.language import Language, Words
from edge.report.markup import path
from edge.report.numbers import forecast_digits
from edge.trends.forecast_live import Expected, LiveForecast

EN, ZH = Words(Language.ENGLISH), Words(Language.CHINESE)
TERMS = CurveTerms(0.5, 120.0, 2.0, 21600.0, PressureKnown.DECLARED, 0.017)
STEP = 0.05
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "g", "title", "desc", "rect", "line", "path", "circle", "text", "tspan"}


def column(t: float, loss: float | None, oven: float | None = 120.0, **more: bool) -> Column:
    low, high = (None, None) if loss is None else (loss - 0.001, loss + 0.001)
    return Column(t, t + 39.0, low, high, oven, oven, 30.0, None, None, **more)


def loss_at(t: float) -> float | None:
    """A test of 8 h: M1 to 1440 s, air out to 28 000 s, an exponential loss of 0.45 %."""
    if t < 1440:
        return None
    return 0.45 * (1.0 - 2.718 ** (-max(0.0, t - 4000) / 4000.0)) - (STEP if 1500 < t < 28_000 else 0.0)


PHASES = (
    PhaseSpan(Phase.TARE, 0, 300, "the zero is taken"),
    PhaseSpan(Phase.M1, 300, 1440, "M1 is taken"),
    PhaseSpan(Phase.PUMP, 1440, 2400, "vacuum declared"),
    PhaseSpan(Phase.RAMP, 2400, 4000, "in band"),
    PhaseSpan(Phase.HOLD, 4000, 25_600, "the hold is complete"),
    PhaseSpan(Phase.COOL, 25_600, 29_000, "cold again"),
    PhaseSpan(Phase.M2, 29_000, 30_000, "M2 is taken"),
)
WINDOWS = (WindowTaken(WeighingKind.M1, 900, 1440), WindowTaken(WeighingKind.M2, 29_400, 30_000))
RECORDED = RecordedCurve(
    tuple(column(t, loss_at(t), 25.0 if t < 2400 else 120.0) for t in range(0, 30_000, 40)), PHASES, WINDOWS
)
AIR = AirTakenOut((AirAt(1440, 0.0), AirAt(1520, STEP)), 0.004)
GAPPED = replace(
    RECORDED,
    columns=tuple(replace(c, after_gap=c.from_s == 12_000) for c in RECORDED.columns if not 10_000 < c.from_s < 12_000),
)
EVERY_KIND = tuple(
    HappenedTold(from_s=5000.0 + 2000 * i, to_s=5001.0 + 2000 * i, what=kind, why="<script>")
    for i, kind in enumerate(HappenedKind)
)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))


def live(recorded: RecordedCurve, **more: object) -> LiveCurve:
    return replace(LiveCurve(recorded, TERMS), **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("words", [EN, ZH])
def test_both_are_well_formed_named_and_without_style_or_script(words: Words) -> None:
    recorded = replace(GAPPED, happened=EVERY_KIND)
    for svg in (page_curve(live(recorded), words), report_curve(WeighedCurve(recorded, TERMS, 0.45), words)):
        root = parsed(svg)
        assert root.get("role") == "img"
        assert (root.get("aria-labelledby") or "").split() == ["curve-t", "curve-d"]
        assert {e.tag.removeprefix(SVG) for e in root.iter()} <= DRAWN
        assert "style" not in {name for e in root.iter() for name in e.attrib}
        assert "<script" not in svg


def test_a_page_has_no_colour_and_paper_no_class() -> None:
    page = parsed(page_curve(live(RECORDED), EN))
    paper = parsed(report_curve(WeighedCurve(RECORDED, TERMS, 0.45), EN))
    assert not {"fill", "stroke", "font-size"} & {name for e in page.iter() for name in e.attrib}
    assert "class" not in {name for e in paper.iter() for name in e.attrib}


def test_thirty_hours_are_at_most_40_kilobytes() -> None:
    noisy = tuple(
        replace(column(144.0 * i, 0.4 + (i * 37 % 100) * 1e-3, 118.0 + (i * 61 % 40) * 0.1), to_s=144.0 * i + 143)
        for i in range(750)
    )
    recorded = RecordedCurve(noisy, (PhaseSpan(Phase.HOLD, 0, 108_000),), (), EVERY_KIND)
    assert len(page_curve(live(recorded), EN).encode()) <= 40_000
    assert len(report_curve(WeighedCurve(recorded, TERMS, 0.45), EN).encode()) <= 40_000


def places(svg: str) -> list[list[float]]:
    """Get the x of each outline of the loss on a page, in s."""
    out = []
    for d in re.findall(r'<path class="d" d="M([^"]+)"', svg):
        x, *steps = map(float, re.findall(r"-?\d+", d))
        xs, at = [x], x
        for dx in steps[1::2]:
            at += dx
            xs.append(at)
        out.append([(v / 30.0 - 1.2) / 96.8 * 30_000 for v in xs])
    return out


def test_a_gap_is_white_and_never_bridged() -> None:
    drawn = places(page_curve(live(GAPPED, running=False), EN))
    assert len(drawn) == 2
    assert max(drawn[0]) < 10_100
    assert min(drawn[1]) > 11_900
    whole = places(page_curve(live(RECORDED, running=False), EN))
    assert len(whole) == 1


def test_the_page_takes_the_step_of_the_air_out_and_the_table_has_both() -> None:
    table = page_table(live(RECORDED, air=AIR), EN)
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in table.split("<tr>")[2:]]
    at_ramp = next(r for r in rows if r[1] == "ramp")
    assert (at_ramp[2], at_ramp[4]) == ("0.000", "−0.050")
    assert float(at_ramp[3]) == pytest.approx((0.017**2 + (2 * 0.004) ** 2) ** 0.5, abs=6e-4)


def test_the_report_names_both_steps_of_the_air() -> None:
    steps = air_steps(RECORDED)
    assert steps.step_pct == pytest.approx(STEP, abs=1e-3)
    assert steps.leaves_s == pytest.approx(1520, abs=60)
    assert steps.enters_s == pytest.approx(28_000, abs=60)
    svg = report_curve(WeighedCurve(RECORDED, TERMS, 0.45), EN)
    assert "air leaves:" in svg
    assert "air enters" in svg
    assert air_steps(replace(RECORDED, vented_s=(27_990.0,))).told


def test_the_limit_is_always_in_sight_and_a_greater_loss_takes_the_next_step() -> None:
    assert loss_scale_end(live(RECORDED), EN) == pytest.approx(0.6)
    more = replace(RECORDED, columns=(*RECORDED.columns, column(30_000, 0.7)))
    assert loss_scale_end(live(more), EN) == 1.0
    assert [top_of_loss(0.5, v) for v in (0.6, 0.61, 1.5, 4.0, 7.0)] == [0.6, 1.0, 2.0, 5.0, 10.0]


def test_only_a_loss_moves_the_scale_and_the_heading_says_so() -> None:
    unsure = (ForecastAt(30_000, 0.1, 0.5, 0.95), ForecastAt(36_000, 0.1, 0.55, 1.4))
    assert loss_scale_end(live(RECORDED, forecast=unsure), EN) == pytest.approx(0.6)
    assert wider_scale(live(RECORDED, forecast=unsure), EN) == ""
    root = parsed(page_curve(live(RECORDED, forecast=unsure), EN))
    bracket = next(e for e in root.iter(f"{SVG}line") if e.get("class") == "br")
    assert float(bracket.get("y1", "")) >= TOP  # cut at the scale's end; its numbers are whole in the words
    hopeless = (ForecastAt(36_000, 2.0, 2.1, 2.2),)
    assert loss_scale_end(live(RECORDED, forecast=hopeless), EN) == 5.0
    assert wider_scale(live(RECORDED, forecast=hopeless), EN) == "scale to 5\u00a0%"


def test_marks_that_would_overlap_are_one_with_all_its_numbers() -> None:
    close = tuple(replace_from(h, 5000.0 + i) for i, h in enumerate(EVERY_KIND))
    assert f">1–{len(close)}</text>" in page_curve(live(replace(RECORDED, happened=close)), EN)


@given(st.lists(st.floats(0.0, 30_000.0), min_size=1, max_size=120))
def test_no_mark_overlaps_another_and_each_event_is_in_one(at: list[float]) -> None:
    happened = tuple(HappenedTold(from_s=s, to_s=s, what=HappenedKind.ALARM, why="x") for s in sorted(at))
    found = marks(happened, 30_000.0)
    assert [n for m in found for n in range(m.first, m.last + 1)] == list(range(1, len(happened) + 1))
    for a, b in pairwise(found):
        halves = [max(float(x) for x in re.findall(r"[\d.]+", shape(m))) / 2.0 for m in (a, b)]
        assert (b.at_s - a.at_s) / 30_000.0 * 980.0 >= sum(min(h, 4 * 7) for h in halves) * 0.9


def replace_from(h: HappenedTold, from_s: float) -> HappenedTold:
    return HappenedTold(from_s=from_s, to_s=from_s + 1.0, what=h.what, why=h.why)


def test_a_forecast_is_dashed_words_and_the_end_of_its_interval() -> None:
    ahead = (ForecastAt(30_000, 0.43, 0.45, 0.47), ForecastAt(36_000, 0.46, 0.49, 0.52))
    planned = (PhaseSpan(Phase.HOLD, 30_000, 36_000, planned=True),)
    svg = page_curve(live(RECORDED, forecast=ahead, planned=planned, clock0_s=3600.0), EN)
    assert 'class="f"' in svg
    assert "0.49 ± 0.03" in svg
    assert "0.46 to 0.52\u00a0%" in svg
    assert ">02:00</text>" in svg


@pytest.mark.parametrize("loss", [0.3, 0.44, 0.48, 0.5, 0.52, 0.56])
def test_a_forecast_has_one_number_on_page_and_curve_and_its_words_are_off_the_limits_line(loss: float) -> None:
    ahead = (ForecastAt(30_000, loss, loss, loss), ForecastAt(36_000, loss - 0.03, loss, loss + 0.07))
    root = parsed(page_curve(live(RECORDED, forecast=ahead), EN))
    said = [e for e in root.iter(f"{SVG}text") if " fc" in (e.get("class") or "")]
    headline = forecast_digits(loss, LiveForecast(Expected(6.0, loss - 0.03, loss, loss + 0.07), ()).half_pct)
    assert [e.text for e in said] == [" ± ".join(headline)] * 2 + ["forecast"]
    limit_y = next(float(e.get("y1", "")) for e in root.iter(f"{SVG}line") if e.get("class") == "limit")
    for e in said:
        y = float(e.get("y", ""))
        assert TOP < y - 10.0 < y < BOTTOM
        assert not y - 11.0 < limit_y < y + 4.0


def test_the_line_is_named_beneath_its_band_and_the_present_loss_is_off_the_forecasts_words() -> None:
    near = (ForecastAt(29_900, 0.44, 0.45, 0.46), ForecastAt(30_500, 0.44, 0.45, 0.46))
    root = parsed(page_curve(live(RECORDED, forecast=near), EN))
    said = {e.text: e for e in root.iter(f"{SVG}text")}
    band = said["loss so far, ± U (k = 2)"]
    assert TOP < float(band.get("y", "")) < BOTTOM
    now = next(e for text, e in said.items() if text is not None and text.startswith("now "))
    assert now.get("text-anchor") == "end"
    first = replace(RECORDED, columns=RECORDED.columns[:40])
    assert "loss so far" not in page_curve(live(first), EN)  # there is no room yet


def test_the_words_of_the_ovens_panel_are_beside_its_curve() -> None:
    planned = (PhaseSpan(Phase.HOLD, 25_600, 26_000, planned=True),)
    rising = tuple(replace(c, oven_low_c=117.0) if 2400 <= c.from_s < 4000 else c for c in RECORDED.columns)
    root = parsed(page_curve(live(replace(RECORDED, columns=rising), planned=planned), EN))
    said = {e.text: e for e in root.iter(f"{SVG}text")}
    band = next(e for e in root.iter(f"{SVG}rect") if e.get("class") == "tband")
    kept, risen = said["120 ± 2\u00a0°C to be kept"], said["from 25\u00a0°C"]
    assert float(kept.get("y", "")) < float(band.get("y", ""))
    assert risen.get("text-anchor") == "end"
    assert float(risen.get("x", "").rstrip("%")) < float(band.get("x", "").rstrip("%")) - 4.0  # 1600 s before the hold


@pytest.mark.parametrize("columns", [(), (column(0.0, None, None),), (column(0.0, 0.1),)])
def test_a_run_of_nothing_or_of_a_second_has_a_drawing(columns: tuple[Column, ...]) -> None:
    short = RecordedCurve(columns)
    terms = replace(TERMS, expanded_pct=None)
    for svg in (page_curve(LiveCurve(short, terms), EN), report_curve(WeighedCurve(short, terms), ZH)):
        parsed(svg)
        assert "nan" not in svg
        assert "inf" not in svg


def test_a_gauge_has_its_own_curve() -> None:
    measured = tuple(replace(c, low_pa=90.0, high_pa=110.0) for c in RECORDED.columns)
    terms = replace(TERMS, pressure=PressureKnown.MEASURED)
    assert 'class="p"' in page_curve(LiveCurve(replace(RECORDED, columns=measured), terms), EN)
    assert "1000 Pa" in report_curve(WeighedCurve(replace(RECORDED, columns=measured), terms), EN)


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.integers(-5000, 5000)), min_size=1, max_size=30))
def test_a_path_in_relative_steps_ends_where_its_points_do(points: list[tuple[int, int]]) -> None:
    x, y, *steps = map(int, re.findall(r"-?\d+", path(points)))
    dxs, dys = steps[0::2], steps[1::2]
    if len(points) > 1:
        assert (x + sum(dxs), y + sum(dys)) == points[-1]
    assert (x, y) == points[0]


@given(st.floats(0, 1e6), st.floats(1e-3, 1e6), st.none() | st.floats(0, 86_400))
def test_a_time_axis_has_a_few_ticks_within_it(from_s: float, long_s: float, clock0_s: float | None) -> None:
    found = time_ticks(from_s, from_s + long_s, clock0_s)
    assert len(found.at) <= 12
    assert all(from_s - 1e-3 <= t <= from_s + long_s + 1e-3 for t, _ in found.at)


@given(st.floats(-100, 100), st.floats(1e-6, 1e4))
def test_ticks_are_within_their_scale(low: float, span: float) -> None:
    found = ticks(low, low + span)
    assert 1 <= len(found) <= 9
    assert all(low - 1e-6 * span <= t <= low + span * (1 + 1e-6) for t in found)


def test_times_are_rounded_down() -> None:
    assert [hms(t) for t in (0.0, 59.99, 3600.0, 4271.9)] == ["0:00:00", "0:00:59", "1:00:00", "1:11:11"]


def test_an_empty_holder_is_no_loss_of_the_sample() -> None:
    after = (*PHASES, PhaseSpan(Phase.ZERO, 30_000, 32_000))
    off = replace(
        RECORDED, phases=after, columns=(*RECORDED.columns, *(column(t, 99.9) for t in range(30_000, 32_000, 40)))
    )
    assert loss_scale_end(live(off), EN) == pytest.approx(0.6)
    assert "99.9" not in page_table(live(off), EN)
    assert "at most 0.450 %" in report_curve(WeighedCurve(off, TERMS, 0.45), EN).replace("\u00a0", " ")


def test_the_result_stands_at_m2_whatever_is_weighed_after_it() -> None:
    def ring_x(recorded: RecordedCurve) -> str:
        (x,) = re.findall(r'<circle cx="([0-9.]+)"', report_curve(WeighedCurve(recorded, TERMS, 0.45), EN))
        return x

    later = (*WINDOWS, WindowTaken(WeighingKind.CHECK, 29_900, 30_000))
    assert ring_x(replace(RECORDED, windows=later)) == ring_x(RECORDED)
