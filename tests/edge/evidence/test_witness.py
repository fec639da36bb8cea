"""A rig's log and its witnesses: a rewritten history is found by whoever saw an older head, and by nobody else."""

from __future__ import annotations

import base64
import datetime
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edge.cli.main import cli
from edge.errors import BadEvidence, SealFailed
from edge.evidence.witness import Rewritten, Shown, Witness
from edge.seal.checkpoint import Checkpoint, LogProof, origin_of
from edge.seal.key import RigKey, make_key
from edge.seal.merkle import is_included, leaf_hash
from edge.seal.rig_log import RigLog
from edge.seal.signers import PublicKey, Signers

NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> RigKey:
    return make_key(tmp_path_factory.mktemp("rig") / "seal", "rig-7")


@pytest.fixture
def signers(rig: RigKey, tmp_path: Path) -> Signers:
    file = tmp_path / "signers"
    file.write_text(rig.allowed_signers_line, encoding="utf-8")
    return Signers.load(file)


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("laptop") / "witness"
    make_key(folder, "auditor")
    return folder


@pytest.fixture
def witness(laptop: Path) -> Witness:
    for file in (*laptop.glob("*.checkpoint"), *laptop.glob("*.signers")):
        file.unlink()
    return Witness(laptop)


def log_of(folder: Path, *runs: str) -> RigLog:
    folder.mkdir()
    log = RigLog(folder)
    for run in runs:
        log.append(run.encode())
    return log


def test_a_log_that_grows_is_cosigned_with_its_proof(
    rig: RigKey, witness: Witness, signers: Signers, tmp_path: Path
) -> None:
    log = log_of(tmp_path / "log", "1", "2", "3")
    first = witness.look(Shown(log.sign_head(rig)), signers, NOW)
    assert (first.rig, first.before, first.cosigned.size) == ("rig-7", None, 3)
    log.append(b"4")
    log.append(b"5")
    head = log.sign_head(rig)
    with pytest.raises(BadEvidence, match="since 3"):
        witness.look(Shown(head), Signers(), NOW)
    text = log.since(3, head).to_text()
    second = witness.look(Shown.from_text(text, "x"), Signers(), NOW)  # the rig is known by now
    assert (second.before, second.cosigned.size) == (3, 5)
    assert second.cosigned.cosigned_at_s("auditor", witness.key.public) == NOW.timestamp()
    assert second.cosigned.is_signed_by(rig.public)
    leaves = tuple(log.leaves)
    assert witness.look(Shown(head, leaves=leaves), Signers(), NOW).before == 5


@pytest.mark.parametrize(
    "runs",
    [("1", "3", "4"), ("1", "2 with another result", "3", "4"), ("1", "2", "3 again"), ("1", "2")],
    ids=["left out", "result changed", "the same number", "cut"],
)
def test_a_rewritten_history_is_found_by_who_saw_an_older_head_and_by_nobody_else(
    rig: RigKey, witness: Witness, signers: Signers, tmp_path: Path, laptop: Path, runs: tuple[str, ...]
) -> None:
    witness.look(Shown(log_of(tmp_path / "true", "1", "2", "3").sign_head(rig)), signers, NOW)
    log = log_of(tmp_path / "rewritten", *runs)
    head = log.sign_head(rig)
    with pytest.raises(Rewritten, match="REWRITTEN"):
        witness.look(log_since(log, head), signers, NOW)
    with pytest.raises(Rewritten, match="REWRITTEN"):
        witness.look(Shown(head, leaves=tuple(log.leaves)), signers, NOW)
    other = Witness(tmp_path / "other laptop")
    assert other.look(Shown(head, leaves=tuple(log.leaves)), signers, NOW).before is None


def log_since(log: RigLog, head: Checkpoint) -> Shown:
    return Shown.from_text(log.since(min(3, head.size), head).to_text(), "x")


def test_a_checkpoint_by_another_key_or_of_an_unknown_rig_is_not_cosigned(
    rig: RigKey, witness: Witness, signers: Signers, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other")
    head = log_of(tmp_path / "log", "1").sign_head(other)
    with pytest.raises(BadEvidence, match="no key of this rig"):
        witness.look(Shown(head), signers, NOW)
    posing = Checkpoint(origin_of(rig.public), head.size, head.head).signed(other.file, other.public)
    with pytest.raises(BadEvidence, match="not by the key"):
        witness.look(Shown(posing), signers, NOW)


def test_the_rig_signs_no_head_that_does_not_add_to_its_last_one(rig: RigKey, tmp_path: Path) -> None:
    log_of(tmp_path / "log", "1", "2").sign_head(rig)
    (tmp_path / "log/log").write_text(f"{leaf_hash(b'2').hex()}\n", encoding="ascii")
    with pytest.raises(SealFailed, match="copy"):
        RigLog(tmp_path / "log").sign_head(rig)


def test_a_line_that_a_power_cut_tore_is_written_over(rig: RigKey, tmp_path: Path) -> None:
    log_of(tmp_path / "log", "1", "2")
    with (tmp_path / "log/log").open("ab") as file:
        file.write(b"0123")
    log = RigLog(tmp_path / "log")
    assert log.append(b"2") == 1
    assert log.append(b"3") == 2
    assert RigLog(tmp_path / "log").leaves == [leaf_hash(run) for run in (b"1", b"2", b"3")]


def test_the_proof_that_a_run_is_in_the_log_is_for_anybody(rig: RigKey, tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", *"1234567")
    head = log.sign_head(rig)
    found = LogProof.from_text(log.proof_of(b"5", head).to_text(), "x")
    assert found.checkpoint == head
    assert is_included(leaf_hash(b"5"), found.index, head.size, found.proof, head.head)
    assert len(head.to_note().encode()) < 200
    with pytest.raises(BadEvidence):
        log.proof_of(b"8", head)


def test_the_example_of_the_specification_is_read_and_verified() -> None:
    """The example of C2SP's tlog-cosignature; its keys are not published, so no signature is checked here."""
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+"
        "zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0"
        "xUe+mbIUBkBIfZ+qnA==\n"
    )
    found = Checkpoint.from_note(note, "x")
    assert (found.size, len(found.signatures), found.to_note()) == (20852163, 2, note)
    assert int.from_bytes(found.signatures[1].value[:8], "big") == 1679315147


def test_the_signed_note_of_go_is_verified_by_its_published_key() -> None:
    """From golang.org/x/mod/sumdb/note: the key of PeterNeumann and the note that it signed."""
    coded = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    public = PublicKey.of_raw(base64.b64decode(coded)[1:])
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    from edge.seal.checkpoint import key_id
    from edge.seal.with_cryptography import is_good_raw

    line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    raw = base64.b64decode(line)
    assert raw[:4] == key_id("PeterNeumann", public.raw, 1)
    assert is_good_raw(public.raw, raw[4:], text.encode())


@given(st.text(max_size=200))
def test_what_is_no_checkpoint_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadEvidence) as e:
        Shown.from_text(text, "x")
    assert "\n" not in str(e.value)


def test_the_commands_of_rig_and_laptop(rig: RigKey, tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "x.db")]
    (tmp_path / "seal").mkdir()
    asked = CliRunner().invoke(cli, ["checkpoint", *db])
    assert isinstance(asked.exception, SealFailed)
    log = RigLog(tmp_path / "seal")
    log.append(b"1")
    log.sign_head(rig)
    note = str(tmp_path / "note")
    assert CliRunner().invoke(cli, ["checkpoint", *db, "-o", note]).exit_code == 0
    (tmp_path / "signers").write_text(rig.allowed_signers_line, encoding="utf-8")
    state = ["--state", str(tmp_path / "state"), "--signers", str(tmp_path / "signers"), "--json"]
    told = json.loads(CliRunner().invoke(cli, ["witness", note, *state]).output)
    assert (told["runs"], told["seen_before"]) == (1, None)
    log.append(b"2")
    log.sign_head(rig)
    since = json.loads(CliRunner().invoke(cli, ["checkpoint", *db, "--since", "1", "--json", "-o", note]).output)
    assert since["text"].startswith("old 1\n")
    told = json.loads(CliRunner().invoke(cli, ["witness", note, *state]).output)
    assert (told["runs"], told["seen_before"]) == (2, 1)
    shown = CliRunner().invoke(cli, ["checkpoint", *db]).output
    assert "█" in shown
