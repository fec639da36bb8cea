"""Signatures: what ssh-keygen and ``cryptography`` make is the same to the byte, and each checks the other's."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadEvidence, SealFailed
from edge.seal import key as keys
from edge.seal import sshsig
from edge.seal.signers import PublicKey, Signers
from edge.seal.ssh_format import NAMESPACE, Signature

needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")
DATA = b"what was measured\n"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> keys.RigKey:
    return keys.make_key(tmp_path_factory.mktemp("rig") / "seal", "rig-7")


@pytest.fixture
def no_ssh_keygen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sshsig, "run_ssh_keygen", lambda *_: None)
    monkeypatch.setattr(keys, "run_ssh_keygen", lambda *_: None)


def stock_verify(folder: Path, signers: str, name: str, signature: str, data: bytes) -> bool:
    (folder / "signers").write_text(signers, encoding="utf-8")
    (folder / "sig").write_text(signature, encoding="ascii")
    arguments = ["-f", folder / "signers", "-I", name, "-n", NAMESPACE, "-s", folder / "sig"]
    done = subprocess.run(["ssh-keygen", "-Y", "verify", *arguments], input=data, capture_output=True, check=False)
    return done.returncode == 0


@needs_ssh_keygen
def test_a_stock_tool_verifies_it_by_the_line_that_key_show_prints(rig: keys.RigKey, tmp_path: Path) -> None:
    signature = sshsig.sign(DATA, rig.file).to_text()
    assert stock_verify(tmp_path, rig.allowed_signers_line, "rig-7", signature, DATA)
    assert not stock_verify(tmp_path, rig.allowed_signers_line, "rig-7", signature, DATA + b" ")


@needs_ssh_keygen
def test_both_tools_make_the_same_signature(rig: keys.RigKey, monkeypatch: pytest.MonkeyPatch) -> None:
    by_tool = sshsig.sign(DATA, rig.file)
    monkeypatch.setattr(sshsig, "run_ssh_keygen", lambda *_: None)
    assert sshsig.sign(DATA, rig.file).to_text() == by_tool.to_text()
    assert sshsig.is_good(by_tool, DATA)
    assert not sshsig.is_good(by_tool, DATA + b" ")


@needs_ssh_keygen
def test_ssh_keygen_takes_what_was_made_without_it(no_ssh_keygen: None, tmp_path: Path) -> None:
    rig = keys.make_key(tmp_path / "seal", "rig-8")
    signature = sshsig.sign(DATA, rig.file)
    assert sshsig.is_good(signature, DATA)
    assert stock_verify(tmp_path, rig.allowed_signers_line, "rig-8", signature.to_text(), DATA)
    shown = subprocess.run(["ssh-keygen", "-y", "-f", rig.file], capture_output=True, text=True, check=True).stdout
    assert PublicKey.from_line(shown, "ssh-keygen").wire == rig.public.wire


@needs_ssh_keygen
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_a_persons_key_of_another_kind_is_checked_too(kind: str, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", tmp_path / "k"], check=True)
    signature = sshsig.sign(DATA, tmp_path / "k")
    assert sshsig.is_good(signature, DATA)
    assert not sshsig.is_good(signature, b"")


def test_the_private_half_is_its_makers_alone(rig: keys.RigKey) -> None:
    assert stat.S_IMODE(rig.file.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" in rig.file.read_bytes()
    assert b"PRIVATE" not in rig.file.with_name(rig.file.name + ".pub").read_bytes()


def test_a_key_is_never_made_over_another(rig: keys.RigKey) -> None:
    before = rig.file.read_bytes()
    with pytest.raises(SealFailed, match="already"):
        keys.make_key(rig.file.parent)
    assert rig.file.read_bytes() == before
    assert keys.find_key(rig.file.parent) == rig
    assert [p.name for p in rig.file.parent.iterdir() if p.name.startswith(".")] == []


@needs_ssh_keygen
def test_the_fingerprint_is_the_one_that_ssh_shows(rig: keys.RigKey) -> None:
    shown = subprocess.run(["ssh-keygen", "-l", "-f", rig.file], capture_output=True, text=True, check=True).stdout
    assert rig.public.fingerprint in shown.split()


def test_a_known_key_counts_only_for_what_it_is_known_for(rig: keys.RigKey, tmp_path: Path) -> None:
    file = tmp_path / "signers"
    other = f'x valid-before="20200101" {rig.public.algorithm} {rig.public.coded}'
    for line, name in (
        (rig.allowed_signers_line, "rig-7"),
        (f'# {rig.allowed_signers_line}\n\nany namespaces="*@halfpercent" ssh-ed25519 {rig.public.coded} c', "any"),
        (f"all ssh-ed25519 {rig.public.coded}", "all"),
        (f'git namespaces="git" ssh-ed25519 {rig.public.coded}', None),
        (other, None),  # what is not understood is not believed
        ("", None),
    ):
        file.write_text(line, encoding="utf-8")
        assert Signers.load(file).name_of(rig.public.wire) == name


@pytest.fixture(scope="module")
def signed(rig: keys.RigKey) -> bytes:
    return sshsig.sign(DATA, rig.file).to_text().encode()


@given(st.binary(max_size=300), st.integers(0, 400))
def test_what_is_no_signature_is_refused_in_one_line(signed: bytes, raw: bytes, at: int) -> None:
    for text in (raw, signed[:at] + raw + signed[at:]):
        if b"".join(text.split()) == b"".join(signed.split()):
            continue  # where its lines are broken is nothing that was signed
        with contextlib.suppress(BadEvidence):
            assert Signature.from_text(text, "sig").to_text().encode() != signed


def test_a_key_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "key"
    os.mkfifo(pipe)
    with pytest.raises(SealFailed, match="is a pipe"):
        sshsig.sign(DATA, pipe)


def test_the_folder_of_a_database_that_is_a_link_to_itself_is_named_without_an_error(tmp_path: Path) -> None:
    link = tmp_path / "a.db"
    link.symlink_to(link)
    assert keys.seal_folder(link) == tmp_path / "seal"


@pytest.mark.parametrize("around", ["\x1c", "\x1f", "\x85", "\u2028", "\ufeff", "\0"])
def test_what_stands_around_a_signature_is_blank_or_it_is_none(signed: bytes, around: str) -> None:
    for text in (around.encode() + signed, signed + around.encode()):
        with pytest.raises(BadEvidence):
            Signature.from_text(text, "sig")
