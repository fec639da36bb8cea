"""Packages from an enemy: each is answered in one line, and nothing of it is unpacked, followed or run."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sealed_run import SealedRun, repacked, tampered_package

from edge.cli.main import cli
from edge.errors import BadEvidence
from edge.evidence import archive
from edge.evidence.package import LEAVES, MANIFEST, PROOF, RUN, SIGNATURE, SIGNER, read_package
from edge.evidence.verification import Answer, verification_text
from edge.evidence.verify import verify_package


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in files:
            z.writestr(name, data)
    return out.getvalue()


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("root/run-1/run.sqlite")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


LIE = (1 << 31, 1 << 31)
HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"hello",
    "a header alone": lambda: b"PK\x03\x04",
    "no file": lambda: zipped(),
    "a bomb": lambda: zipped(("root/run-1/run.sqlite", bytes(50_000_000))),
    "a way up": lambda: zipped(("../../etc/passwd", b"x"), method=zipfile.ZIP_STORED),
    "a whole path": lambda: zipped(("/etc/passwd", b"x"), method=zipfile.ZIP_STORED),
    "a drive": lambda: zipped(("C:\\x", b"x"), method=zipfile.ZIP_STORED),
    "a link": lambda: zipped((link(), b"/etc/passwd"), method=zipfile.ZIP_STORED),
    "an escape sequence": lambda: zipped(("\x1b]0;x\x07", b"x"), method=zipfile.ZIP_STORED),
    "a length that is a lie": lambda: (
        b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, 0, 2**31, 2**31, 1, 0) + b"a"
    ),
    "one name twice": lambda: archive.to_zip({"a": b"1"}) + archive.to_zip({"a": b"1"}),
    "a million headers": lambda: b"PK\x03\x04" * 1_000_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_package_is_one_line(tmp_path: Path, what: str) -> None:
    file = tmp_path / "x.eln"
    file.write_bytes(HOSTILE[what]())
    done = CliRunner().invoke(cli, ["verify", str(file)])
    if isinstance(done.exception, BadEvidence):
        assert "\n" not in str(done.exception)
    else:
        assert done.output.startswith("ALTERED: ")
        assert "\x1b" not in done.output
    assert [p.name for p in tmp_path.iterdir()] == ["x.eln"]


def test_a_package_larger_than_any_of_ours_is_one_line(sealed: SealedRun, tmp_path: Path) -> None:
    """An owner may add as much as he likes: his is made without the writer that refuses to."""
    large = repacked(sealed, {"attachments/large.bin": os.urandom(archive.MOST_BYTES)})
    assert len(large) > archive.MOST_BYTES
    file = tmp_path / "large.zip"
    file.write_bytes(large)
    said = CliRunner().invoke(cli, ["verify", str(file)])
    assert isinstance(said.exception, BadEvidence)
    assert "longer than" in str(said.exception)
    assert "\n" not in str(said.exception)


def test_what_is_no_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "nothing"):
        with pytest.raises(BadEvidence):
            verify_package(path, None)  # type: ignore[arg-type]  # nobody is asked


def test_whatever_byte_is_changed_it_is_found(sealed: SealedRun, tmp_path: Path) -> None:
    """A few; all of them are flipped by a bench."""
    rng, file = random.Random(1), tmp_path / "x.eln"
    for _ in range(40):
        at = rng.randrange(len(sealed.raw))
        file.write_bytes(sealed.raw[:at] + bytes([sealed.raw[at] ^ 1 << rng.randrange(8)]) + sealed.raw[at + 1 :])
        try:
            found = verify_package(file, sealed.signers)
        except BadEvidence:
            continue
        assert found.answer is Answer.ALTERED, at


def test_whatever_byte_of_the_database_is_changed_and_summed_anew_it_is_found_or_says_nothing_else(
    sealed: SealedRun, tmp_path: Path
) -> None:
    rng, file, was = random.Random(2), tmp_path / "x.eln", sealed.package.files[RUN]
    for _ in range(12):
        at = rng.randrange(len(was))
        raw = was[:at] + bytes([was[at] ^ 0x40]) + was[at + 1 :]
        file.write_bytes(repacked(sealed, {RUN: raw}))
        found = verify_package(file, sealed.signers)
        assert found.answer in (Answer.ALTERED, Answer.VERIFIED)
        if found.answer is Answer.VERIFIED:  # a byte of the file that holds nothing: free room, an index
            assert found.run is not None
            assert found.run.verdict == "PASS"


@pytest.mark.parametrize(
    "sql",
    [
        "update runs set settings_json = '{}'",
        'update runs set settings_json = \'{"fold": 7, "sample": []}\'',
        "update runs set settings_json = '[]'",
        "update runs set standard_toml = 'x'",
        "update runs set t0_ns = 'never'",
        "update runs set result_json = '{}'",
        "update runs set kind = 'nonsense'",
        "update chunks set samples = 1000000000000",
        "update chunks set raw = x'02808080800180808080010102030405'",
        "update events set data_json = '[]'",
        "delete from chunks",
        "delete from runs",
    ],
)
@pytest.mark.parametrize("relinked", [False, True])
def test_rows_of_an_enemy_without_a_seal_are_one_line(
    sealed: SealedRun, tmp_path: Path, sql: str, relinked: bool
) -> None:
    if relinked and sql.startswith(("delete from runs", "update runs set t0_ns", "update chunks set samples")):
        pytest.skip("no chain can be made over that")
    raw = tampered_package(sealed, tmp_path, sql, relinked=relinked)
    unsealed = read_package(raw, "x")
    for name in (MANIFEST, SIGNATURE, SIGNER, PROOF, LEAVES):
        del unsealed.files[name]
    file = tmp_path / "x.eln"
    file.write_bytes(unsealed.to_bytes())
    found = verify_package(file, sealed.signers)
    assert found.answer is Answer.ALTERED
    assert all("\n" not in d.what for d in found.differs)


@given(st.dictionaries(st.from_regex(archive.NAME, fullmatch=True), st.binary(max_size=60), max_size=5))
def test_what_is_written_is_read_again_and_stock_zip_reads_it(files: dict[str, bytes]) -> None:
    files = {name: files[name] for name in {n.casefold(): n for n in files}.values()}
    raw = archive.to_zip(files)
    if not files:
        return
    assert archive.from_zip(raw, "x") == files
    with zipfile.ZipFile(io.BytesIO(raw)) as z:
        assert {name: z.read(name) for name in z.namelist()} == files


@given(st.binary(max_size=200))
def test_noise_is_refused(raw: bytes) -> None:
    with pytest.raises(BadEvidence):
        archive.from_zip(b"PK\x03\x04" + raw, "x")


def test_what_sqlite_quotes_of_a_file_is_no_line_of_ours(sealed: SealedRun, tmp_path: Path) -> None:
    raw = sealed.package.files[RUN]
    file = tmp_path / "x.eln"
    file.write_bytes(repacked(sealed, {RUN: raw.replace(b"'header' as what", b"'\xffeader' as what")}))
    found = verify_package(file, sealed.signers)
    assert found.answer is Answer.ALTERED
    for line in (*verification_text(found), *(differs.what for differs in found.differs)):
        assert "\n" not in line
        assert len(line) < 500
