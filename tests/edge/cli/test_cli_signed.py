"""``report --signed``: who reviewed and released a run stands in its report, from the package that they signed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from sealed_run import SealedRun, copied

from edge.cli.main import cli
from edge.errors import BadEvidence
from edge.evidence.people import NAMESPACE
from edge.seal.key import RigKey, make_key


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> RigKey:
    return make_key(tmp_path_factory.mktemp("person"), "wei@lab")


@pytest.fixture
def signed(sealed: SealedRun, person: RigKey, tmp_path: Path) -> Path:
    file = tmp_path / "run.eln"
    file.write_bytes(sealed.raw)
    for meaning, name in (("review", "Wei <b>"), ("release", "张伟")):
        asked = ["sign", str(file), "--as", meaning, "--name", name, "--key", str(person.file)]
        assert CliRunner().invoke(cli, asked).exit_code == 0
    return file


def shown(sealed: SealedRun, *words: str) -> str:
    done = CliRunner().invoke(cli, ["report", "1", "--db", str(sealed.database), *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_who_signed_as_what_stands_in_every_form_of_the_report(
    sealed: SealedRun, person: RigKey, signed: Path, tmp_path: Path
) -> None:
    words = ("--signed", str(signed))
    page = shown(sealed, "--format", "html", *words)
    assert "not signed" not in page
    assert "Wei &lt;b&gt;" in page
    assert "张伟" in page
    assert page.count(person.public.fingerprint) == 2
    assert page.count("a key that was not held against a list") == 2
    line = f'wei@lab namespaces="{NAMESPACE}" {person.public.algorithm} {person.public.coded}\n'
    (tmp_path / "signers").write_text(line, encoding="utf-8")
    known = shown(sealed, "--format", "html", "--lang", "zh", *words, "--signers", str(tmp_path / "signers"))
    assert known.count("已知密钥") == 2
    text = shown(sealed, *words)
    assert text.count(person.public.fingerprint) == 2
    people = json.loads(shown(sealed, "--json", *words))["signatures"]
    assert [(p["meaning"], p["name"]) for p in people] == [("review", "Wei <b>"), ("release", "张伟")]


def test_without_a_signed_package_nobody_signed(sealed: SealedRun) -> None:
    assert shown(sealed, "--format", "html").count("not signed") == 4
    assert "signatures" not in json.loads(shown(sealed, "--json"))


def test_a_package_of_another_run_or_none_is_refused_in_one_line(
    sealed: SealedRun, signed: Path, tmp_path: Path
) -> None:
    database = copied(sealed, tmp_path)
    shutil.rmtree(tmp_path / "seal")
    asked = ["report", "1", "--db", str(database), "--signed", str(signed)]
    done = CliRunner().invoke(cli, asked)
    assert isinstance(done.exception, BadEvidence)
    assert "has no seal that people could have signed" in str(done.exception)
    (tmp_path / "no.eln").write_bytes(b"PK")
    done = CliRunner().invoke(cli, ["report", "1", "--db", str(sealed.database), "--signed", str(tmp_path / "no.eln")])
    assert isinstance(done.exception, BadEvidence)
