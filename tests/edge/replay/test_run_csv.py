"""A run exported as a CSV and replayed: the same frames, the same seconds bit for bit, the same verdict."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recorded_run
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_frames import random_frames, same
from short_demo import Demo

from calibration.iec60751 import temperature_c
from edge.cli.main import cli
from edge.database.queries import result_of_run
from edge.database.reading import open_readonly
from edge.errors import BadRecording
from edge.procedure.pipeline import OperatorCommand
from edge.records.command import ConverterWasReset, GapLength, OperatorWord, as_text
from edge.records.frame import Frames
from edge.records.result import as_json
from edge.replay.run_csv_judge import SIMULATED, judge_run_csv
from edge.replay.run_csv_reader import read_run_csv
from edge.replay.run_csv_writer import _rows, run_as_csv
from edge.run.refold import refold
from hw.clock import NS_PER_S
from hw.protocols import Status

OF_THE_RECORDING = ("kind", "run_id", "recording", "observed", "hours", "true_loss_pct", "seed", "warnings", "night")
"""What a result of a replay says otherwise than the run's own."""


def exported(database: Path, file: Path) -> Path:
    file.write_text("".join(run_as_csv(database, "last")), encoding="utf-8")
    return file


def same_bits(database: Path, file: Path) -> dict[str, Any]:
    """Compare a run with its file: rows, events and result. Returns the result of the file."""
    judged = judge_run_csv(read_run_csv(file), file)
    with closing(open_readonly(database)) as db:
        run = refold(db, 1)
    assert judged.folded.rows.tobytes() == run.folded.rows.tobytes()
    assert judged.folded.phases == run.folded.phases
    assert judged.folded.events == run.folded.events
    ours, own = as_json(judged.result), as_json(result_of_run(database, "last"))
    assert {k: v for k, v in ours.items() if k not in OF_THE_RECORDING} == {
        k: v for k, v in own.items() if k not in OF_THE_RECORDING
    }
    return ours


def test_a_simulated_run_gives_its_verdict_and_its_bits_again_and_says_that_it_was_simulated(
    short_demo: Demo, tmp_path: Path
) -> None:
    again = same_bits(short_demo.path, exported(short_demo.path, tmp_path / "run.csv"))
    assert again["verdict"] == short_demo.result["verdict"] == "PASS"
    assert again["warnings"][0] == SIMULATED


@pytest.fixture(scope="module", params=["nau7802", "hx711"])
def interrupted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose machine lost its power in the hold, for 20 s, on a rig of either bridge."""
    path = tmp_path_factory.mktemp(request.param) / "halfpercent.db"
    recorded = recorded_run.record(4, request.param)
    recorded_run.measure(path, recorded, until=5000, batch_s=600)
    result = recorded_run.measure(path, recorded, boot_id="boot-2", lost_s=20, batch_s=600)
    assert result["stops"]
    return path


def test_a_run_with_a_power_cut_gives_its_verdict_and_its_bits_again(interrupted: Path, tmp_path: Path) -> None:
    file = exported(interrupted, tmp_path / "run.csv")
    again = same_bits(interrupted, file)
    out = tmp_path / "out"
    done = CliRunner().invoke(cli, ["replay", str(file), "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    with closing(open_readonly(out / "halfpercent.db")) as db, closing(open_readonly(interrupted)) as own:
        assert refold(db, 1).folded.rows.tobytes() == refold(own, 1).folded.rows.tobytes()
    assert json.loads(done.stdout)["loss_pct"] == again["loss_pct"]


def test_what_a_run_says_itself_is_not_said_again_and_a_file_is_never_written_over(
    short_demo: Demo, tmp_path: Path
) -> None:
    file = tmp_path / "run.csv"
    words = ["export", "last", "--db", str(short_demo.path), "-o", str(file)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    before = file.read_bytes()
    again = CliRunner().invoke(cli, words)
    assert again.exit_code == 1
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
    refused = CliRunner().invoke(cli, ["replay", str(file), "--declare", "temp_c=120"])
    assert refused.exit_code == 2
    told = CliRunner().invoke(cli, ["replay", str(file), "--dry-run"])
    assert "2 commands" in told.stdout
    nameless = CliRunner().invoke(cli, [*words[:-1], str(tmp_path / "run.xyz")])
    assert nameless.exit_code == 2


def test_parquet_holds_the_rows_of_the_csv_or_says_what_to_install(short_demo: Demo, tmp_path: Path) -> None:
    out = tmp_path / "run.parquet"
    done = CliRunner().invoke(cli, ["export", "last", "-o", str(out), "--db", str(short_demo.path)])
    try:
        import pyarrow.parquet as pq
    except ImportError:
        assert done.exit_code == 1
        assert "pip install pyarrow" in str(done.exception)
        assert list(tmp_path.iterdir()) == []
        return
    assert done.exit_code == 0, done.output
    table = pq.read_table(out)
    frames = read_run_csv(exported(short_demo.path, tmp_path / "run.csv")).frames
    assert table["counts"].drop_null().to_pylist() == frames.code.tolist()
    assert [w for w in table["command"].to_pylist() if w] == ["tare", "load"]


@pytest.fixture(scope="module")
def pieces(short_demo: Demo) -> tuple[str, str]:
    """The two first lines of a run's file, and its first rows."""
    text = run_as_csv(short_demo.path, "last")
    head, rows = next(text) + next(text), next(text)[:4000].rsplit("\n", 1)[0] + "\n"
    text.close()
    return head, rows


def as_another_logger_has_it(file: Path, to: Path) -> Path:
    """Write a run's file as a plain table of codes, degrees and commands: what a logger of one's own would give."""
    read = read_run_csv(file)
    frames, said = read.frames, {c.seq: str(c.command) for c in read.commands}
    lines = ["t_s,counts,temp_c,cell_temp_c,status,command"]
    for at, second in enumerate(frames.seq.tolist()):
        oven, cell = (
            temperature_c(float(channel.value[at]) / 32768.0 * 430.0, 100.0) for channel in (frames.oven, frames.cell)
        )
        for i in range(frames.first[at], frames.first[at + 1]):
            t_s = second + int(frames.sample_us[i]) / 1e6
            name = Status(frames.status[i]).name.lower()
            lines.append(f"{t_s:.3f},{frames.code[i]},{oven:.4f},{cell:.4f},{name},{said.pop(second, '')}")
    to.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return to


def test_a_table_with_a_column_of_commands_is_judged_by_the_plan_of_a_live_run(
    short_demo: Demo, tmp_path: Path
) -> None:
    file = exported(short_demo.path, tmp_path / "run.csv")
    head = read_run_csv(file).head
    (tmp_path / "cell.toml").write_text(head.certificate_toml, encoding="utf-8")
    (tmp_path / "standard.toml").write_text(head.standard_toml, encoding="utf-8")
    table = as_another_logger_has_it(file, tmp_path / "logger.csv")
    by = ["--certificate", str(tmp_path / "cell.toml"), "--standard", str(tmp_path / "standard.toml")]
    done = CliRunner().invoke(cli, ["replay", str(table), *by, "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    result = json.loads(done.stdout)
    assert result["verdict"] == short_demo.result["verdict"]
    assert result["loss_pct"] == pytest.approx(short_demo.result["loss_pct"], abs=1e-3)
    weighed = [w["which"] for w in result["weighings"]]
    assert weighed == ["tare", "m1", "m2"]
    rest_s = result["weighings"][1]["from_s"]
    assert rest_s == pytest.approx(short_demo.result["weighings"][1]["from_s"], abs=2.0)  # the dwell was waited for
    assert "2 commands, so it is judged by the plan of a live run" in result["recording"]["read_as"]
    text = table.read_text(encoding="utf-8").replace(",tare\n", ",tara\n")
    table.write_text(text, encoding="utf-8")
    refused = CliRunner().invoke(cli, ["replay", str(table), *by])
    assert "column command: 'tara' is none: use tare, load, vent, zero, abort, or nothing" in str(refused.exception)


WORDS = st.one_of(
    st.sampled_from(list(OperatorWord)), st.just(ConverterWasReset()), st.just(GapLength(None)), st.just(GapLength(7.0))
)


def of_a_run(seed: int) -> Frames:
    """Draw frames as a run on the instrument has them: codes of 24 bits, times in whole ms, seconds of its clock."""
    rng = np.random.default_rng(seed)
    f = random_frames(rng, int(rng.integers(1, 9)), recorded=False)
    n = len(f.code)
    ms, code = rng.integers(-999, 2500, n).astype("<i4"), rng.integers(-(2**23), 2**23, n).astype("<i4")
    return Frames(f.seq, f.seq * NS_PER_S, f.first, ms * 1000, code, f.status, f.oven, f.cell, f.gauge)


@given(seed=st.integers(0, 2**32), commands=st.lists(st.tuples(st.integers(0, 20), WORDS), max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_frames_and_commands_are_read_as_they_were_written(
    pieces: tuple[str, str], tmp_path: Path, seed: int, commands: list[tuple[int, Any]]
) -> None:
    frames = of_a_run(seed)
    commands = sorted(commands, key=lambda c: c[0])
    said: dict[int, list[str]] = {}
    for second, command in commands:
        said.setdefault(second, []).append(as_text(command))
    last = int(frames.seq[-1])
    body = _rows(frames, 0, said, 1)
    late = sorted(said)  # after the last second
    assert all(second > last for second in late)
    file = tmp_path / "run.csv"
    file.write_text(pieces[0] + body, encoding="utf-8")
    read = read_run_csv(file)
    assert same(read.frames, frames)
    assert read.commands == tuple(OperatorCommand(s, c) for s, c in commands if s <= last)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_was_changed_is_read_as_it_stands_or_refused_in_one_line(
    pieces: tuple[str, str], tmp_path: Path, data: st.DataObject
) -> None:
    text = "".join(pieces)
    at = data.draw(st.integers(0, len(text) - 1))
    text = text[:at] + data.draw(st.sampled_from(["", ",", "9", "-", "x", "\n", "é", "1e3", "_", ";"])) + text[at + 1 :]
    file = tmp_path / "run.csv"
    file.write_text(text, encoding="utf-8")
    refused = ""
    try:
        assert len(read_run_csv(file).frames)
    except BadRecording as e:
        refused = str(e)
    assert not refused or ("\n" not in refused and refused.startswith(str(file)))
