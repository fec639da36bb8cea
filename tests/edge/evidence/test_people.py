"""People's signatures: by their own key, bound to the manifest, printed with name, meaning and time."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sealed_run import SealedRun

from edge.cli.main import cli
from edge.errors import BadEvidence
from edge.evidence.package import MANIFEST, SIGNATURE, Package, read_package
from edge.evidence.people import NAMESPACE, sign_package
from edge.evidence.verification import Answer
from edge.evidence.verify import verify_package
from edge.seal.key import RigKey, make_key
from edge.seal.signers import Signers


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> RigKey:
    return make_key(tmp_path_factory.mktemp("person"), "wei@lab")


def test_who_signed_as_what_is_shown_and_whether_the_key_is_known(
    sealed: SealedRun, person: RigKey, tmp_path: Path
) -> None:
    file = tmp_path / "run.eln"
    file.write_bytes(sealed.raw)
    for meaning, name in (("review", "Wei Zhang"), ("release", "张伟")):
        asked = ["sign", str(file), "--as", meaning, "--name", name, "--key", str(person.file)]
        assert CliRunner().invoke(cli, asked).exit_code == 0
    found = verify_package(file, sealed.signers)
    assert found.answer is Answer.VERIFIED
    assert [(p.meaning, p.name, p.known) for p in found.people] == [
        ("review", "Wei Zhang", False),
        ("release", "张伟", False),
    ]
    line = f'wei@lab namespaces="{NAMESPACE}" {person.public.algorithm} {person.public.coded}\n'
    (tmp_path / "signers").write_text(sealed.signers_file.read_text() + line, encoding="utf-8")
    assert all(p.known for p in verify_package(file, Signers.load(tmp_path / "signers")).people)


@pytest.mark.parametrize(
    "change", ["another name", "of another run", "the rig's seal", "no signature", "nobody's file"]
)
def test_a_signature_that_does_not_fit_is_found(sealed: SealedRun, person: RigKey, tmp_path: Path, change: str) -> None:
    now = datetime.datetime(2026, 11, 26, tzinfo=datetime.UTC)
    package = sign_package(sealed.package, "review", "Wei", person.file, now)
    at = "signatures/01.json"
    files = dict(package.files)
    match change:
        case "another name":
            files[at] = files[at].replace(b"Wei", b"Ann")
        case "of another run":
            other = Package(package.root, package.described, sealed.package.files | {MANIFEST: b"{}"})
            files |= {n: d for n, d in sign_package(other, "review", "Wei", person.file, now).files.items() if at in n}
        case "the rig's seal":
            files |= {at: files[MANIFEST], f"{at}.sig": files[SIGNATURE]}
        case "no signature":
            del files[f"{at}.sig"]
        case _:
            files["signatures/x"] = b"x"
    file = tmp_path / "run.eln"
    file.write_bytes(Package(package.root, package.described, files).to_bytes())
    assert verify_package(file, sealed.signers).answer is Answer.ALTERED


def test_what_nobody_sealed_nobody_signs(sealed: SealedRun, person: RigKey) -> None:
    package = read_package(sealed.raw, "x")
    files = {name: data for name, data in package.files.items() if name != MANIFEST}
    unsealed, now = Package(package.root, package.described, files), datetime.datetime.now(datetime.UTC)
    with pytest.raises(BadEvidence, match="not sealed"):
        sign_package(unsealed, "review", "Wei", person.file, now)
