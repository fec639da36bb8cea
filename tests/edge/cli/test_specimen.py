"""``specimen new`` asks and writes; what was not answered is not in the file, and no file is written over."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path

from click.testing import CliRunner

from edge.cli.main import cli
from edge.records.specimen_file import load_specimen

ONLY_NEEDED = ["Example Cells", "SSB-200", "0042", *[""] * 11, "n", "n", "", "n", "n"]


def asked(path: Path, *answers: str) -> str:
    done = CliRunner().invoke(cli, ["specimen", "new", str(path)], input="\n".join(answers) + "\n")
    assert done.exception is None, done.output
    return done.output


def test_what_was_not_answered_is_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    asked(path, *ONLY_NEEDED)
    assert path.read_text(encoding="utf-8").splitlines() == [
        "format = 1", 'maker = "Example Cells"', 'model = "SSB-200"', 'serial = "0042"',
    ]  # fmt: skip


def test_all_that_is_answered_is_read_back(tmp_path: Path) -> None:
    photograph = tmp_path / "p.jpg"
    photograph.write_bytes(b"no picture")
    path = tmp_path / "s.toml"
    shown = asked(
        path,
        "Example Cells", "SSB-200", "", "0042", "semi-solid", "hybrid", "sulfide, energy", "Li | sulfide",
        "oxide, liquid 3 %",
        "60 x 40 x 5", "two hundred", "200.5", "0.004", "3.2", "0", "3 cycles",
        "y", "2026-11-25 09:00+08:00", "maker", "Bo", "dry", "n",
        "y", "S-1", "intact", "box", "n",
        str(tmp_path / "none.jpg"), str(photograph), "", "the cell", "y",
        "2026-11-26 09:00+08:00", "Ada", "scalpel", "edge", "400", "glove_box", "25", "-70", "y",
        "n", "Ada", "2026-11-26 09:01+08:00", "", "y", str(photograph),
    )  # fmt: skip
    assert "this one is needed" in shown  # a serial
    assert "'two hundred' cannot be used here" in shown
    assert "none.jpg: no such file" in shown
    specimen = load_specimen(path)
    digest = hashlib.sha256(b"no picture").hexdigest()
    assert (specimen.serial, specimen.m0_g, specimen.dimensions_mm) == ("0042", 200.5, (60.0, 40.0, 5.0))
    assert specimen.subclasses == ("sulfide", "energy")
    assert [(h.given_by, h.taken_by, h.condition) for h in specimen.hand_overs] == [("maker", "Bo", "dry")]
    assert [(p.sha256, p.shows, p.file) for p in specimen.photographs] == [(digest, "the cell", "p.jpg")]
    assert specimen.opening is not None
    assert specimen.opening.opened_at == datetime.datetime(2026, 11, 26, 1, 0, tzinfo=datetime.UTC)
    assert specimen.opening.surroundings is not None
    assert specimen.opening.surroundings.dew_point_c == -70.0
    check = specimen.visual_check
    assert check is not None
    assert (check.liquid_seen, check.turned_over, check.photograph_sha256, check.remark) == (False, True, digest, None)


def test_a_file_that_is_there_is_not_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("mine", encoding="utf-8")
    done = CliRunner().invoke(cli, ["specimen", "new", str(path)], input="")
    assert done.exit_code == 1
    assert str(done.exception) == f"{path}: is there already, and is left as it is: name a new file"
    assert done.output == ""
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_file_is_checked_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    asked(path, *ONLY_NEEDED)
    done = CliRunner().invoke(cli, ["specimen", "show", str(path)])
    assert json.loads(done.output) == {"maker": "Example Cells", "model": "SSB-200", "serial": "0042"}
    path.write_text('maker = "M"\n', encoding="utf-8")
    done = CliRunner().invoke(cli, ["specimen", "show", str(path)])
    assert done.exit_code == 1
    assert str(done.exception).startswith(f"{path}: model is missing: add one line of text")
