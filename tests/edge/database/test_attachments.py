"""Files that a record names by their hash: kept beside the database, under that hash alone, and never believed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from edge.database import attachments
from edge.database.attachments import attachments_folder, copy_kept, is_kept, keep, kept
from edge.errors import BadDatabase

PHOTO = b"\xff\xd8\xff\xe0 as a camera writes it"
SHA = hashlib.sha256(PHOTO).hexdigest()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / "p1.jpg").write_bytes(PHOTO)
    return tmp_path / "h.db"


def test_a_file_is_kept_under_its_hash_once_and_given_back(database: Path) -> None:
    photo = database.with_name("p1.jpg")
    assert not is_kept(database, SHA)
    assert keep(database, photo, SHA) is None
    assert keep(database, photo, SHA) is None
    assert is_kept(database, SHA)
    assert [f.name for f in attachments_folder(database).iterdir()] == [SHA]
    photo.unlink()
    assert kept(database, [SHA, SHA, "0" * 64], 1000) == {SHA: PHOTO}
    assert kept(database, [SHA], len(PHOTO) - 1) == {}, "what does not fit is left out"


def test_another_file_a_pipe_a_link_and_none_are_not_kept_and_that_is_one_line(database: Path) -> None:
    folder = database.parent
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(folder / "p1.jpg")
    for name, sha256, why in (
        ("p1.jpg", "0" * 64, "is another file than the record's SHA-256 says"),
        ("pipe", SHA, "is a pipe"),
        ("none", SHA, "no such file"),
    ):
        assert keep(database, folder / name, sha256) == f"{name}: {why}"
    assert keep(database, folder / "link", SHA, follow_links=False)
    assert not attachments_folder(database).exists()


def test_no_more_is_kept_than_leaves_room_for_runs(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_KEPT_BYTES", len(PHOTO) - 1)
    said = keep(database, database.with_name("p1.jpg"), SHA)
    assert said is not None
    assert "move some away" in said


def test_a_file_that_was_changed_where_it_is_kept_is_not_given_back(database: Path) -> None:
    keep(database, database.with_name("p1.jpg"), SHA)
    (attachments_folder(database) / SHA).write_bytes(b"another")
    assert kept(database, [SHA], 1000) == {}


def test_what_is_kept_is_copied_beside_a_copy_and_what_lies_there_under_its_name_is_left(database: Path) -> None:
    copy = database.with_name("copy.db")
    keep(database, database.with_name("p1.jpg"), SHA)
    assert [copy_kept(database, [SHA, "0" * 64], copy) for _ in range(2)] == [1, 1], "what is not kept is no matter"
    assert kept(copy, [SHA], 1000) == {SHA: PHOTO}
    (attachments_folder(copy) / SHA).write_bytes(b"another")
    with pytest.raises(BadDatabase, match="is not what its name says: move it away"):
        copy_kept(database, [SHA], copy)
    assert (attachments_folder(copy) / SHA).read_bytes() == b"another"


def test_a_file_is_kept_where_there_are_no_links(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def as_fat_does(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", as_fat_does)
    assert keep(database, database.with_name("p1.jpg"), SHA) is None
    assert [f.name for f in attachments_folder(database).iterdir()] == [SHA]
