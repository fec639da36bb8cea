"""Verification: a run that is as it was measured, and each way in which one is not, in a database and in a package."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import msgspec
import pytest
import sealed_run
from click.testing import CliRunner
from repository import STORED
from sealed_run import SealedRun, copied, repacked, result_changed, tamper, tampered_package

from edge.cli.main import cli
from edge.errors import BadDatabase
from edge.evidence import verify as verifying
from edge.evidence.package import (
    MANIFEST,
    PAGE,
    PROOF,
    REPORT,
    RUN,
    SIGNATURE,
    SIGNER,
    STANDARD,
    make_package,
    read_package,
)
from edge.evidence.verification import EXIT_STATUS, Answer, Verification
from edge.evidence.verify import verify_package, verify_run
from edge.seal import sshsig
from edge.seal.key import make_key
from edge.seal.manifest import Manifest
from edge.seal.rig_log import RigLog
from edge.seal.sealing import seal_run
from edge.seal.signers import Signers


def verified(raw: bytes, sealed: SealedRun, folder: Path, signers: Signers | None = None) -> Verification:
    file = folder / "run.eln"
    file.write_bytes(raw)
    return verify_package(file, sealed.signers if signers is None else signers)


def test_a_run_as_it_was_measured_is_verified(sealed: SealedRun, tmp_path: Path) -> None:
    for found in (verify_run(sealed.database, "last"), verified(sealed.raw, sealed, tmp_path)):
        assert found.answer is Answer.VERIFIED, found
        assert (found.signer, found.differs, found.not_recomputed) == ("rig-7", (), ())
        assert any("computed again" in line for line in found.checked)
        assert any("seal 1 of 1" in line for line in found.checked)
    assert verified(sealed.raw, sealed, tmp_path, Signers()).answer is Answer.UNKNOWN_SIGNER


def test_the_same_run_makes_the_same_bytes(sealed: SealedRun) -> None:
    assert make_package(sealed.database, "1").to_bytes() == sealed.raw
    assert read_package(sealed.raw, "x") == sealed.package


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")
def test_stock_tools_unpack_it_sum_it_and_verify_its_seal(sealed: SealedRun, tmp_path: Path) -> None:
    (tmp_path / "run.eln").write_bytes(sealed.raw)
    with zipfile.ZipFile(tmp_path / "run.eln") as z:
        assert z.testzip() is None
        z.extractall(tmp_path)
    folder = tmp_path / sealed.package.root / "run-1"
    summed = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, check=False, capture_output=True)
    assert summed.returncode == 0
    command = ["ssh-keygen", "-Y", "verify", "-f", sealed.signers_file, "-I", "rig-7", "-n", "evidence@halfpercent"]
    with (folder / MANIFEST).open("rb") as manifest:
        done = subprocess.run([*command, "-s", folder / SIGNATURE], stdin=manifest, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_it_is_a_crate_as_lab_notebooks_want_it(sealed: SealedRun, tmp_path: Path) -> None:
    """The ELN consortium's rules: one root folder with the metadata, which names each file with its sum."""
    (tmp_path / "run.eln").write_bytes(sealed.raw)
    with zipfile.ZipFile(tmp_path / "run.eln") as z:
        (root,) = {name.split("/")[0] for name in z.namelist()}
        crate = json.loads(z.read(f"{root}/ro-crate-metadata.json"))
        sums = {f"./{name.removeprefix(root + '/')}": hashlib.sha256(z.read(name)).hexdigest() for name in z.namelist()}
    named = {one["@id"]: one for one in crate["@graph"]}
    del sums["./ro-crate-metadata.json"]
    assert {name: one["sha256"] for name, one in named.items() if one["@type"] == "File"} == sums
    assert {part["@id"] for part in named["./"]["hasPart"]} == {*sums, "./run-1/"}
    assert named["ro-crate-metadata.json"]["about"] == {"@id": "./"}


ANOTHER_CODE = "substr(raw, 1, 40) || x'00' || substr(raw, 42)"
AS_DECLARED, OTHERWISE = '"claim":null', '"claim":1'
CHANGES = {
    "the verdict of the row": ("runs", "update runs set verdict = 'FAIL'"),
    "the result and its row": ("runs", result_changed(0.4)),
    "a code": (
        "chunks",
        "update chunks set raw = cast(substr(raw, 1, 40) || x'00' || substr(raw, 42) as blob) where chunk = 3",
    ),
    "a chunk is gone": ("events", "delete from chunks where chunk = 3"),
    "an event is gone": ("chunks", "delete from events where event = 4"),
    "an event says another thing": ("events", "update events set who = 'somebody' where event = 4"),
    "the end is cut": ("events", "delete from events where event = (select max(event) from events)"),
    "the certificate": ("certificates", "update certificates set toml = replace(toml, '5', '6')"),
    "who it was": ("runs", "update runs set operator = 'somebody else'"),
    "what was declared": (
        "runs",
        f"update runs set settings_json = replace(settings_json, '{AS_DECLARED}', '{OTHERWISE}')",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_found_and_named(sealed: SealedRun, tmp_path: Path, change: str) -> None:
    table, sql = CHANGES[change]
    database = copied(sealed, tmp_path)
    tamper(database, sql)
    for found in (verify_run(database, "1"), verified(tampered_package(sealed, tmp_path, sql), sealed, tmp_path)):
        assert found.answer is Answer.ALTERED
        assert table in {d.table for d in found.differs}, found.differs


def test_a_second_that_was_changed_is_named(sealed: SealedRun, tmp_path: Path) -> None:
    database = copied(sealed, tmp_path)
    tamper(database, "update seconds set mass_g = mass_g + 1e-9 where second = 1234")
    found = verify_run(database, "1")
    assert found.answer is Answer.ALTERED
    assert found.differs[0].table == "seconds"


def test_a_chain_that_was_made_anew_is_not_the_one_that_was_sealed(sealed: SealedRun, tmp_path: Path) -> None:
    raw = tampered_package(sealed, tmp_path, "update events set who = 'nobody' where event = 4", relinked=True)
    found = verified(raw, sealed, tmp_path)
    assert found.answer is Answer.ALTERED
    assert "sealed" in found.differs[0].what


def forged(sealed: SealedRun, folder: Path) -> Path:
    """A result that was changed, with the whole chain made anew over it."""
    database = copied(sealed, folder)
    tamper(database, result_changed(0.3))
    sealed_run.restate_end(database)
    sealed_run.relink(database)
    return database


def test_a_result_that_the_codes_do_not_make_is_found_without_any_seal(sealed: SealedRun, tmp_path: Path) -> None:
    database = forged(sealed, tmp_path)
    shutil.rmtree(tmp_path / "seal")
    found = verify_run(database, "1")
    assert found.answer is Answer.ALTERED
    assert "loss_pct is 0.3, computed again" in found.differs[0].what


def test_a_result_that_was_changed_and_sealed_anew_by_the_rigs_own_key_is_found(
    sealed: SealedRun, tmp_path: Path
) -> None:
    database = forged(sealed, tmp_path)
    assert seal_run(database, 1, 1.8e9) is not None
    assert len(RigLog(tmp_path / "seal").leaves) == 2
    found = verify_run(database, "1")
    assert found.answer is Answer.ALTERED
    assert "computed again" in found.differs[0].what


def test_without_a_seal_it_is_unsigned_and_with_half_of_it_altered(sealed: SealedRun, tmp_path: Path) -> None:
    none = repacked(sealed, {}, without=(MANIFEST, SIGNATURE, SIGNER, PROOF, "log/leaves"))
    assert verified(none, sealed, tmp_path).answer is Answer.UNSIGNED
    assert verified(repacked(sealed, {}, without=(SIGNATURE,)), sealed, tmp_path).answer is Answer.ALTERED


def test_another_key_is_an_unknown_signer(sealed: SealedRun, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other", "rig-7")
    manifest = Manifest.from_bytes(sealed.package.files[MANIFEST], "x")
    by = msgspec.structs.replace(manifest.sealed_by, fingerprint=other.public.fingerprint)
    raw = msgspec.structs.replace(manifest, sealed_by=by).to_bytes()
    files = {MANIFEST: raw, SIGNATURE: sshsig.sign(raw, other.file).to_text().encode()}
    found = verified(repacked(sealed, files, without=(SIGNER, PROOF, "log/leaves")), sealed, tmp_path)
    assert found.answer is Answer.UNKNOWN_SIGNER
    assert found.fingerprint == other.public.fingerprint
    left = verified(repacked(sealed, {SIGNATURE: files[SIGNATURE]}), sealed, tmp_path)
    assert left.answer is Answer.ALTERED


@pytest.mark.parametrize("name", [STANDARD, REPORT, PAGE, SIGNER, PROOF, "log/leaves", SIGNATURE, MANIFEST])
def test_what_lies_beside_the_database_is_held_against_it(sealed: SealedRun, tmp_path: Path, name: str) -> None:
    was = sealed.package.files[name]
    at = len(was) // 2
    changed = was[:at] + (b"A" if was[at : at + 1] != b"A" else b"B") + was[at + 1 :]
    assert verified(repacked(sealed, {name: changed}), sealed, tmp_path).answer is Answer.ALTERED


def test_the_page_has_the_curve_and_is_drawn_again_to_the_byte(sealed: SealedRun, tmp_path: Path) -> None:
    page = sealed.package.files[PAGE].decode()
    assert "<svg" in page
    assert "Content-Security-Policy" in page
    found = verified(sealed.raw, sealed, tmp_path)
    assert f"{PAGE}: is the report of this result, drawn again" in found.checked
    lies = page.replace("PASS", "FAIL").encode()
    named = verified(repacked(sealed, {PAGE: lies}), sealed, tmp_path).differs
    assert [(d.row, d.what) for d in named] == [(PAGE, "is not the report of this result")]


def test_other_software_computes_nothing_anew_and_says_so(
    sealed: SealedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "IDENTIFICATION", 99)
    found = verified(sealed.raw, sealed, tmp_path)
    assert found.answer is Answer.OTHER_SOFTWARE
    assert "pip install halfpercent==" in found.not_recomputed[0]
    raw = tampered_package(sealed, tmp_path, CHANGES["a code"][1])
    assert verified(raw, sealed, tmp_path).answer is Answer.ALTERED


def test_an_attachment_is_what_was_recorded_or_nobody_vouches_for_it(sealed: SealedRun, tmp_path: Path) -> None:
    found = verified(repacked(sealed, {"attachments/photo.jpg": b"\xff\xd8"}), sealed, tmp_path)
    assert found.answer is Answer.VERIFIED
    assert any("nobody vouches" in note for note in found.notes)
    assert verified(repacked(sealed, {"run2.sqlite": b""}), sealed, tmp_path).answer is Answer.ALTERED


def test_what_was_added_after_the_seal_is_said_to_be_sealed_by_nobody_until_it_is(
    sealed: SealedRun, tmp_path: Path
) -> None:
    database = copied(sealed, tmp_path)
    key = tmp_path / "seal/rig_ed25519"
    private = key.read_bytes()
    key.write_bytes(b"")
    asked = ["correct", "1", "customer", "Ada", "--reason", "it was left out", "--db", str(database)]
    assert CliRunner().invoke(cli, asked).exit_code == 0
    found = verify_run(database, "1")
    assert found.answer is Answer.VERIFIED
    assert any("which nobody sealed: 1" in note for note in found.notes)
    key.write_bytes(private)
    assert seal_run(database, 1, 1.9e9) is not None
    found = verify_run(database, "1")
    assert found.answer is Answer.VERIFIED
    assert not any("nobody sealed" in note for note in found.notes)
    assert any("seal 2 of 2" in line for line in found.checked)


def test_a_database_of_an_older_schema_is_to_be_migrated_first(tmp_path: Path) -> None:
    with pytest.raises(BadDatabase, match="older schema"):
        verify_run(Path(shutil.copy(STORED / "schema-2.sqlite", tmp_path)), "last")


def test_the_command_answers_by_its_exit_status_and_in_json(sealed: SealedRun, tmp_path: Path) -> None:
    eln, db = str(tmp_path / "run.eln"), ["--db", str(sealed.database)]
    assert CliRunner().invoke(cli, ["export", "last", "-o", eln, *db]).exit_code == 0
    assert Path(eln).read_bytes() == sealed.raw
    asked = ["verify", eln, "--signers", str(sealed.signers_file), "--json"]
    done = CliRunner().invoke(cli, asked)
    assert (done.exit_code, json.loads(done.output)["answer"]) == (0, "VERIFIED")
    assert CliRunner().invoke(cli, ["verify", "last", *db]).output.startswith("VERIFIED: ")
    Path(eln).write_bytes(sealed.raw.replace(b"PASS", b"FAIL"))
    assert CliRunner().invoke(cli, asked).exit_code == EXIT_STATUS[Answer.ALTERED]
    assert RUN in sealed.package.files


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        (
            "station_events",
            "insert into station_events (event, kind, data_json) values (0, 'note', '{\"text\": \"x\"}')",
        ),
        ("events", "insert into events (run_id, event, kind) values (99, 0, 'note')"),
        ("boots", "insert into boots values (77, 'another')"),
        ("certificates", "insert into certificates values ('f00', 'another', '', '')"),
    ],
)
def test_rows_that_no_chain_holds_are_no_part_of_a_package(
    sealed: SealedRun, tmp_path: Path, table: str, sql: str
) -> None:
    found = verified(tampered_package(sealed, tmp_path, sql), sealed, tmp_path)
    assert (found.answer, found.differs[0].table) == (Answer.ALTERED, table)
