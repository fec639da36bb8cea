"""``halfpercent status`` in both languages: the same lines and numbers, labels in one column, names as they are."""

from __future__ import annotations

import re

import msgspec

from edge.records.status import StationStatus
from edge.report.language import Language
from edge.report.status_text import LABEL_WIDE, status_text
from edge.report.wrap import width_of

TOLD = {
    "state": "running", "simulated": True, "interlock": "open", "uptime_s": 7200.0, "software": "0.1.0",
    "run": {
        "run_id": 3, "sample_id": "air there", "operator": "{B}", "kind": "blank", "phase": "hold", "elapsed_s": 9000.0,
        "hold_s": 300.0, "hold_required_s": 600.0, "mass_g": 197.1, "loss_pct": 0.21, "loss_as_weighed_pct": 0.16,
        "air_step_pct": 0.05, "u_air_step_pct": 0.001, "air": "air gone", "asked": "put the sample on, then load",
        "refused": "x",
    },
    "alarms": [{"alarm": "gap", "why": "y", "opened_utc": "2026-01-02T03:04:05+00:00", "acknowledged": True}],
    "readings": {"temp_c": 120.0, "cell_temp_c": 36.0, "pressure_pa": 12.0, "bridge_status": "ok", "code": 9},
    "storage": {"database": "/d.db", "free_bytes": 21e9, "pending_s": 3.0}, "clock": {"synchronised": False},
}  # fmt: skip


def test_both_languages_say_the_same_lines_with_the_same_numbers() -> None:
    status = msgspec.convert(TOLD, StationStatus, strict=False)
    english, chinese = (status_text(status, language).splitlines() for language in (Language.ENGLISH, Language.CHINESE))
    assert len(english) == len(chinese)
    for en, zh in zip(english, chinese, strict=True):
        assert re.findall(r"\d+(?:\.\d+)?", en) == re.findall(r"\d+(?:\.\d+)?", zh)
        assert re.search("[\u4e00-\u9fff]", zh), zh


def test_what_stands_beside_the_labels_is_one_column_and_a_name_is_never_translated() -> None:
    status = msgspec.convert(TOLD, StationStatus, strict=False)
    for language in Language:
        lines = status_text(status, language).splitlines()
        for line in lines:
            label = next(line[:i] for i in range(len(line)) if width_of(line[:i]) == LABEL_WIDE)
            assert label.endswith(" "), line
            assert line[len(label)] != " ", line
        assert "air there" in lines[1]  # a sample's name, though a sentence of ours reads like it
        assert "{B}" in lines[1]
        assert "\u00a0" not in "".join(lines)


def test_what_is_not_known_says_so() -> None:
    assert status_text(StationStatus(), Language.CHINESE).count("未知") >= 6
