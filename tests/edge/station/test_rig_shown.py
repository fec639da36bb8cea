"""A cell is begun on a rig that no control found unfit; what was shown once and lapsed is named, or must be there."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace as with_fields
from simulated_service import order, rigged
from written_run import CERTIFICATE, NOT_JUDGED, begin, write

from calibration.certificate import Certificate, certificate_hash
from edge.database.journal import Journal
from edge.errors import BadInput
from edge.records.suitability import ControlKind, SuitabilityTold
from edge.station.rig_shown import rig_shown

DAY = datetime.date(2026, 11, 26)
BY = certificate_hash(CERTIFICATE)


def rig_with(path: Path, *tests: tuple[ControlKind, bool], certificate: Certificate = CERTIFICATE) -> Path:
    """A database with tests of a rig, oldest first: by which control, and whether it was fit."""
    with Journal(path) as journal:
        for i, (kind, fit) in enumerate(tests):
            settings = {"suitability": {"kind": kind, "known_g": 0.5, "u_known_g": 0.001}}
            run = begin(journal, run_uid=f"u-{i}", settings=settings, certificate=certificate)
            write(run, range(3))
            told = SuitabilityTold(
                kind=kind,
                known_g=0.5,
                U_known_g=0.002,
                found_g=0.3,
                U_found_g=0.05,
                e_n=4.0,
                fit=fit,
                fit_until=DAY + datetime.timedelta(days=30) if fit else None,
                why="0.3 ± 0.05 g are found, and 0.5 ± 0.002 g left it",
            )
            run.save_result(with_fields(NOT_JUDGED, suitability=told), 1.75e9 + i)
    return path


def test_of_each_control_the_newest_counts(tmp_path: Path) -> None:
    path = rig_with(tmp_path / "a.db", ("liquid", False), ("inert", True), ("hydrate", True), ("inert", True))
    shown = rig_shown(path, BY, DAY)
    assert [(s.run_id, s.kind, s.fit, s.lapsed) for s in shown] == [
        (4, "inert", True, None), (3, "hydrate", True, None),
    ]  # fmt: skip
    assert rig_shown(path, "0" * 64, DAY) == (), "another certificate's tests say nothing"
    assert rig_shown(tmp_path / "none.db", BY, DAY) == ()


@pytest.mark.parametrize("tests", [(("liquid", False),), (("liquid", True), ("inert", False))])
def test_a_rig_that_was_found_not_fit_begins_no_cell(
    tmp_path: Path, tests: tuple[tuple[ControlKind, bool], ...]
) -> None:
    path = rig_with(tmp_path / "a.db", *tests)
    with pytest.raises(BadInput, match=r"run \d, a test of the rig \((liquid|inert)\), found it NOT fit: 0.3 ± 0.05 g"):
        rig_shown(path, BY, DAY)


def test_what_was_shown_holds_to_its_day_and_on_its_holder(tmp_path: Path) -> None:
    path, month = rig_with(tmp_path / "a.db", ("liquid", True)), datetime.timedelta(days=30)
    assert rig_shown(path, BY, DAY + month)[0].lapsed is None
    assert rig_shown(path, BY, DAY + month + datetime.timedelta(days=1))[0].lapsed == "it held until 2026-12-26"
    assert rig_shown(path, BY, DAY, changed="its holder is another")[0].lapsed == "its holder is another"
    for late, changed in ((DAY + 2 * month, ""), (DAY, "its holder is another")):
        with pytest.raises(BadInput, match="is not shown fit"):
            rig_shown(path, BY, late, changed=changed, required=True)
    assert rig_shown(path, BY, DAY, required=True)
    with pytest.raises(BadInput, match="no test of it with this certificate"):
        rig_shown(path, "0" * 64, DAY, required=True)


def test_a_start_asks_stores_what_it_found_and_a_test_of_the_rig_itself_is_never_refused(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        certificate = it.service._desk.definition(order()).certificate
        assert certificate is not None
        path = rig_with(tmp_path / "other.db", ("liquid", False), certificate=certificate)
        desk = it.service._desk
        desk._station.writer.journal.path, kept = path, desk._station.writer.journal.path
        with pytest.raises(BadInput, match="found it NOT fit"):
            desk.definition(order())
        desk.definition(order(suitability="inert"))
        desk.definition(order(kind="blank"))
        again = rig_with(tmp_path / "again.db", ("liquid", True), certificate=certificate)
        desk._station.writer.journal.path = again
        definition = desk.definition(order(new_holder=True))
        desk._station.writer.journal.path = kept
        assert [s.lapsed for s in definition.rig_shown] == ["its holder, mount or cabling are others"]
        assert definition.balance_settings()["rig_shown"] == [
            {"run_id": 1, "kind": "liquid", "fit": True, "fit_until": "2026-12-26",
             "why": "0.3 ± 0.05 g are found, and 0.5 ± 0.002 g left it",
             "lapsed": "its holder, mount or cabling are others"}
        ]  # fmt: skip
