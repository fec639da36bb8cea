"""Between which times a run was: a nonce and the log's head at the start, a cosignature and a time stamp after."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from sealed_run import SealedRun, repacked

from edge.cli.main import cli
from edge.errors import BadEvidence
from edge.evidence.package import MANIFEST, SIGNATURE, make_package
from edge.evidence.verification import Answer, Verification
from edge.evidence.verify import verify_package
from edge.evidence.witness import Witness
from edge.seal.rig_log import RigLog
from edge.seal.signers import Signers


def verified(raw: bytes, signers: Path, folder: Path) -> Verification:
    file = folder / "x.eln"
    file.write_bytes(raw)
    return verify_package(file, Signers.load(signers))


def test_a_witness_takes_a_package_and_its_cosignature_is_not_after(sealed: SealedRun, tmp_path: Path) -> None:
    file, out, state = tmp_path / "run.eln", tmp_path / "note", tmp_path / "witness"
    file.write_bytes(sealed.raw)
    asked = [
        "witness",
        str(file),
        "--signers",
        str(sealed.signers_file),
        "--state",
        str(state),
        "-o",
        str(out),
        "--json",
    ]
    told = json.loads(CliRunner().invoke(cli, asked).output)
    assert (told["rig"], told["runs"], told["seen_before"]) == ("rig-7", 1, None)
    auditor = Witness(state).key
    signers = tmp_path / "signers"
    lines = sealed.signers_file.read_text() + f"{auditor.name} {auditor.public.algorithm} {auditor.public.coded}\n"
    signers.write_text(lines, encoding="utf-8")
    package = make_package(sealed.database, "1", cosigned=out)
    found = verified(package.to_bytes(), signers, tmp_path)
    assert found.answer is Answer.VERIFIED
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    assert any(f"{auditor.name} cosigned" in line and today in line for line in found.not_after)
    assert verified(package.to_bytes(), sealed.signers_file, tmp_path).not_after == ()


def test_a_later_checkpoint_that_was_cosigned_proves_the_run_too_and_a_foreign_one_does_not(
    sealed: SealedRun, tmp_path: Path
) -> None:
    shutil.copytree(sealed.database.parent / "seal", tmp_path / "seal")
    database = Path(shutil.copy(sealed.database, tmp_path / "halfpercent.db"))
    from edge.seal.key import find_key

    key = find_key(tmp_path / "seal")
    assert key is not None
    log = RigLog(tmp_path / "seal")
    log.append(b"another run")
    (tmp_path / "note").write_text(log.sign_head(key).to_note(), encoding="utf-8")
    found = verified(make_package(database, "1", cosigned=tmp_path / "note").to_bytes(), sealed.signers_file, tmp_path)
    assert found.answer is Answer.VERIFIED
    assert any("seal 1 of 2" in line for line in found.checked)
    with pytest.raises(BadEvidence, match="this rig's log"):
        make_package(sealed.database, "1", cosigned=tmp_path / "note")


def test_a_time_stamp_counts_where_it_holds_the_seals_hash(sealed: SealedRun, tmp_path: Path) -> None:
    """The token itself is checked by openssl; that it is of this seal is seen here."""
    imprint = hashlib.sha256(sealed.package.files[SIGNATURE]).digest()
    for token, counts in ((b"\x30\x82" + imprint + b"...", True), (b"\x30\x82" + bytes(32), False)):
        found = verified(repacked(sealed, {"attachments/seal.tsr": token}), sealed.signers_file, tmp_path)
        assert found.answer is Answer.VERIFIED
        assert bool(found.not_after) == counts


def test_what_says_nothing_of_time_says_so(sealed: SealedRun, tmp_path: Path) -> None:
    found = verified(sealed.raw, sealed.signers_file, tmp_path)
    assert (found.not_before, found.not_after) == ((), ())
    assert json.loads(sealed.package.files[MANIFEST])["nonce"] is None
