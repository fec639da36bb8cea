"""``halfpercent qualify``: each reference is met, what is not is said and fails the whole, and the record is signed."""

from __future__ import annotations

import json
import lzma
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from repository import STORED

from edge.cli.main import cli
from edge.qualify import qualify, references, stored_runs
from edge.qualify.acted_night import Acted
from edge.qualify.record import Check, State, compared, is_qualified
from edge.records.result import Verdict
from edge.seal.key import make_key


def test_every_published_reference_is_met() -> None:
    checks = list(references.references())
    assert {c.source.split(",")[0] for c in checks} >= {
        "JCGM 100:2008",
        "JCGM 101:2008",
        "JCGM 106:2012",
        "IEC 60751",
        "NIST StRD",
    }
    assert [c for c in checks if c.state is not State.OK] == []


def test_what_is_compared_fails_beyond_its_tolerance_and_where_it_is_no_number() -> None:
    assert compared("x", "s", 1.0, 1.0004, 0.0005).state is State.OK
    assert compared("x", "s", 1.0, 1.0006, 0.0005).state is State.FAIL
    assert compared("x", "s", 1.0, float("nan"), 0.0005).state is State.FAIL


@pytest.mark.parametrize("bridge", stored_runs.SECONDS_SHA256)
def test_the_shipped_codes_are_those_that_were_stored_and_their_hash_is_of_what_was_stored_then(
    bridge: str, tmp_path: Path
) -> None:
    import sqlite3

    from edge.database.reading import open_readonly
    from edge.database.seconds_hash import stored_seconds_hash

    found = []
    for folder in (STORED / "before-the-house", stored_runs.STORED):
        file = tmp_path / f"{folder.name}.db"
        file.write_bytes(lzma.decompress((folder / f"{bridge}.db.xz").read_bytes()))
        with sqlite3.connect(file) as db:
            found.append([db.execute(f"select * from {t} order by rowid").fetchall() for t in ("runs", "chunks")])
        db.close()
    assert found[0] == found[1]
    then = open_readonly(tmp_path / "before-the-house.db")
    assert stored_seconds_hash(then, 1).hexdigest() == stored_runs.SECONDS_SHA256[bridge]
    then.close()


def told(verdict: Verdict, true_pct: float) -> Check:
    return qualify.of_night(Acted("n", ("INVALID",), 1, "nau7802", verdict, 0.4, 0.02, true_pct))


def test_a_night_that_is_confidently_wrong_fails() -> None:
    assert told(Verdict.PASS, 0.41).state is State.OK
    assert told(Verdict.PASS, 0.51).state is State.FAIL
    assert not is_qualified([told(Verdict.PASS, 0.51)])


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what costs nothing: nights and stored runs have tests of their own."""
    monkeypatch.setattr(qualify, "NIGHTS", ())
    monkeypatch.setattr(qualify, "stored_runs", lambda: iter(()))
    monkeypatch.setattr(qualify, "references", references.iec_60751)


@pytest.mark.usefixtures("fast")
@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")
def test_the_record_is_signed_by_the_rig_and_a_stock_tool_checks_it(tmp_path: Path) -> None:
    key = make_key(tmp_path / "seal", "rig-7")
    (tmp_path / "signers").write_text(f"{key.allowed_signers_line}\n", encoding="utf-8")
    record = tmp_path / "q.json"
    words = ["qualify", "--quick", "--db", str(tmp_path / "halfpercent.db"), "-o", str(record)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert "QUALIFIED (quick): 10 checks, 0 failed" in done.output
    verify = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", "rig-7", "-n"]
    verify += ["evidence@halfpercent", "-s", f"{record}.sig"]
    raw = record.read_bytes()
    good = [subprocess.run(verify, input=data, check=False).returncode == 0 for data in (raw, raw + b" ")]
    assert good == [True, False]
    assert json.loads(raw)["fingerprint"] == key.public.fingerprint
    again = CliRunner().invoke(cli, words)
    assert (again.exit_code, raw) == (1, record.read_bytes())


@pytest.mark.usefixtures("fast")
def test_one_figure_that_is_off_is_named_and_nothing_is_qualified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "resistance_ohm", lambda temp_c: 138.5056 if temp_c == 100.0 else 1.0)
    done = CliRunner().invoke(cli, ["qualify", "--quick", "--db", str(tmp_path / "halfpercent.db")])
    assert done.exit_code == 3
    assert "fail   Pt100 at 120 °C: 1 Ω, expected 146.068 Ω" in done.output
    assert "NOT QUALIFIED" in done.output
