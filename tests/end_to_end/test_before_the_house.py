"""What was measured before the rooms were made gives the same bits, hashes and JSON after.

``tests/data/before-the-house`` was written by commit 3103241: a stored test of each bridge with its second zero and
check weight, a certificate by the guided calibration, and two recordings with the results of replaying them.
"""

from __future__ import annotations

import datetime
import json
import lzma
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from repository import STORED

from calibration.certificate import certificate_hash, load_certificate, loads, to_toml
from edge.database import hash_chain
from edge.database.reading import open_readonly
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.parameters import RunParameters
from edge.procedure.phases import Phases
from edge.records.result import as_json
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.replay.columns import parse_columns
from edge.replay.judge import Declared, ReplayOrder, replay
from edge.replay.recording import read
from edge.run.refold import refold
from edge.standards.standard import load_standard, loads_standard
from edge.verdict.judge import judge_run

HERE = STORED / "before-the-house"
WHEN_S = 1_770_000_000.0


def stored(tmp_path: Path, bridge: str) -> Path:
    path = tmp_path / f"{bridge}.db"
    path.write_bytes(lzma.decompress((HERE / f"{bridge}.db.xz").read_bytes()))
    return path


@pytest.mark.parametrize("bridge", ["nau7802", "hx711"])
def test_a_stored_run_refolds_to_its_hashes_its_seconds_and_its_result(tmp_path: Path, bridge: str) -> None:
    path = stored(tmp_path, bridge)
    db = open_readonly(path)
    expected = json.loads((HERE / "chains.json").read_text())[bridge]
    assert [list(hash_chain.chunks(db, 1))[-1]["sha256"], list(hash_chain.events(db, 1))[-1]["sha256"]] == expected

    again = refold(db, 1)
    rows, names = again.folded.rows, again.folded.phases
    with sqlite3.connect(path) as plain:
        seconds = plain.execute(
            "select second, elapsed_s, mass_g, sd_g, temp_c, cell_temp_c, hold_s, loss_pct, drift_g_per_h, zero_code, "
            "samples_ok, phase from seconds order by second"
        ).fetchall()
    order = ("seq", "t_s", "mass_g", "sd_g", "temp_c", "cell_temp_c", "hold_s", "loss_pct", "drift_g_per_h",
             "zero_code", "n_ok")  # fmt: skip
    columns = [[None if v != v else v for v in rows[name].tolist()] for name in order]
    assert [(*values, name) for *values, name in zip(*columns, names, strict=True)] == seconds

    run = next(iter(db.table("runs").rows))
    result = judged(again.pipeline.phases, run, loads(run_certificate(db), "stored"))
    says_the_same(json.loads((HERE / f"{bridge}.json").read_text()), result)


NEW_KEYS = {
    "invalid_reason",
    "blank_found",
    "happened",
    "on_declared",
    "without_declared",
    "would_decide",
    "one_sided_pct",
    "pc_otherwise",
    "specimen",
    "claimed_class",
    "subclasses",
    "seen_before",
    "visual_check",
    "deviations",
    "standard_checked",
    "vented",
}


def says_the_same(was: dict[str, Any], now: dict[str, Any], but: frozenset[str] = frozenset()) -> None:
    """Each key of the older JSON is there with the same value, ``but`` for some; new keys may have come."""
    same = was.keys() - but
    assert {name: told_then(was[name], now.get(name, "not there")) for name in same} == {n: was[n] for n in same}
    assert now.keys() - was.keys() <= NEW_KEYS


def told_then(was: Any, now: Any) -> Any:
    """Get of a value what the older one tells of it: in what it holds, too, new keys may have come."""
    if isinstance(was, dict) and isinstance(now, dict):
        return {name: told_then(was.get(name), value) for name, value in now.items() if name in was}
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        return [told_then(a, b) for a, b in zip(was, now, strict=True)]
    return now


def run_certificate(db: Any) -> str:
    return str(next(iter(db.table("certificates").rows))["toml"])


def judged(phases: Phases, run: dict[str, Any], certificate: Any) -> dict[str, Any]:
    settings = json.loads(run["settings_json"])
    definition = RunDefinition(
        Sample.from_settings(settings["sample"]),
        run["operator"],
        RunKind(run["kind"]),
        loads_standard(run["standard_toml"], "stored"),
        certificate,
        RunParameters.from_settings(settings),
    )
    ended = EndedRun(
        definition,
        phases,
        datetime.date.fromisoformat(run["started_utc"][:10]),
        run_id=run["run_id"],
        stops=(),
        true_loss_pct=run["true_loss_pct"],
        seed=settings["seed"],
    )
    return as_json(judge_run(ended))


def test_a_certificate_has_the_same_hash_and_the_same_text() -> None:
    certificate = load_certificate(HERE / "certificate.toml")
    hashes = json.loads((HERE / "chains.json").read_text())
    assert certificate_hash(certificate) == hashes["certificate"]
    assert to_toml(certificate) == (HERE / "certificate.toml").read_text(encoding="utf-8")


RECORDINGS = [
    ("masses.csv", None, "cold"),
    ("masses.csv", None, "hot"),
    ("codes.csv", "by-hand.toml", "cold"),
    ("codes.csv", "certificate.toml", "hot"),
]


def replayed(name: str, certificate: str | None, weigh: str) -> dict[str, Any]:
    order = ReplayOrder(
        load_standard("gbt-48093-1-2026"),
        None if certificate is None else load_certificate(HERE / certificate),
        weigh=weigh,  # type: ignore[arg-type]  # a parameter of the test
        declared=Declared(u_mass_g=0.01),
        sample=Sample("before"),
        wall_s=WHEN_S,
    )
    return as_json(replay(read(HERE / name, columns=parse_columns(""), use_counts=certificate is not None), order))


WHOLE_METHOD = frozenset(("standard", "assumed", "criterion"))
TARE = frozenset(("declared", "pc"))
MEANS = frozenset((
    "loss_pct", "u_pct", "U_pct", "k", "nu_eff", "method", "budget", "first_order", "monte_carlo",
    "m1_g", "m2_g", "reference_g", "weighings",
))  # fmt: skip
NO_TARE = frozenset(("verdict", "invalid_because", "pc", "rule", "criterion", "blind_spot", "declared"))


@pytest.mark.parametrize(("name", "certificate", "weigh"), RECORDINGS)
def test_a_recording_is_answered_with_the_same_json(name: str, certificate: str | None, weigh: str) -> None:
    """But for what issue 10 changed on purpose ("A number that cannot be true is never a verdict").

    Everywhere: the glitch gate of masses is at least 0.2 % of the load, so ``recording.gate_g`` is larger. Judged hot:
    the windows are bounded in time and their masses are those at the windows' edges, so masses, loss and budget are
    new; when they begin is not, nor is the hold. Codes without a tare are INVALID. And what issue 11 did ("The interval
    holds on a stranger's rig"): judged cold, a mass is the mean of all of its window; a tare from the certificate is
    declared and has an uncertainty. A verdict that is not INVALID now is the one it was.
    Issue 13 ("The whole method"): the shipped standard's file asks for things of the specimen, so its hash and what it
    assumes are new, and a mass criterion that is met says that the visual check is not recorded.
    """
    was = json.loads((HERE / "replays.json").read_text(encoding="utf-8"))[f"{name} {certificate} {weigh}"]
    now = json.loads(json.dumps(replayed(name, certificate, weigh)))
    gates_g = [result["recording"].pop("gate_g") for result in (was, now)]
    assert now["recording"].pop("read_as").startswith("CSV, UTF-8, comma between cells, decimal point: t_s from t_s; ")
    assert gates_g[1] == (pytest.approx(0.3, rel=0.01) if name == "masses.csv" else gates_g[0])
    tareless = certificate == "certificate.toml"
    says_the_same(
        was,
        now,
        MEANS
        | WHOLE_METHOD
        | (TARE if certificate == "by-hand.toml" else frozenset())
        | (NO_TARE if tareless else frozenset()),
    )
    if weigh == "hot":
        begins = {w["which"]: w["from_s"] for w in was["weighings"] if w["which"] != "hold_end"}
        assert begins.items() <= {w["which"]: w["from_s"] for w in now["weighings"]}.items()
        assert all(w["to_s"] - w["from_s"] <= 540.0 for w in now["weighings"])
    if tareless:
        assert (now["verdict"], now["invalid_reason"]) == ("INVALID", "tare_unknown")
    elif weigh == "hot":
        assert abs(now["loss_pct"] - was["loss_pct"]) <= now["u_pct"]
