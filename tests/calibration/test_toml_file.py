"""TOML files of somebody else: what is no regular file, what is too long, and keys that cost more than they say."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import CASES

from calibration.bounded_file import NotReadable, open_regular_file, read_regular_file
from calibration.toml_file import MAX_KEY_PARTS, parse, read_text
from edge.standards.standard import FOLDER


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(fifo)
    for path, what in (
        (fifo, "is a pipe"),
        (link, "is a pipe"),
        (tmp_path, "is a folder"),
        (Path("/dev/zero"), "is a device"),
        (tmp_path / "none", "no such file"),
        (Path("a\0b"), "no such file"),
    ):
        with pytest.raises(ValueError, match=what):
            read_text(path, ValueError)


def test_no_more_is_read_than_may_be_and_a_link_is_followed_only_where_it_may_be(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"x" * 100)
    link.symlink_to(file)
    assert read_regular_file(link, 100) == b"x" * 100
    with pytest.raises(NotReadable, match="longer than 99 bytes"):
        read_regular_file(file, 99)
    with pytest.raises(NotReadable):
        read_regular_file(link, 100, follow_links=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link to somebody else")
def test_a_folder_behind_a_link_of_somebody_else_is_not_looked_into_for_who_asked(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_bytes(b"here")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "absolute").symlink_to(tmp_path / "folder")
    names = ("folder/file", "absolute/file", "real/../folder/../real/./file")
    for name in names:
        assert read_regular_file(tmp_path / name, 100, follow_links=False) == b"here"
    os.lchown(tmp_path / "folder", 12345, 12345)
    for name in names:
        with pytest.raises(NotReadable, match="neither root nor who reads it"):
            read_regular_file(tmp_path / name, 100, follow_links=False)
        assert read_regular_file(tmp_path / name, 100) == b"here"


def test_a_circle_of_links_has_an_end_and_no_file_stays_open(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "to").symlink_to(tmp_path)
    (tmp_path / "file").write_bytes(b"x")
    before = set(Path("/proc/self/fd").iterdir())
    assert read_regular_file(tmp_path / "to/to/file", 9, follow_links=False)
    for name in ("a/file", "a", "", "to/none", "to/" * 20 + "file"):
        with pytest.raises(NotReadable):
            read_regular_file(tmp_path / name, 9, follow_links=False)
    assert set(Path("/proc/self/fd").iterdir()) == before


@pytest.mark.parametrize(
    "text",
    [
        ".".join("a" * 5000) + " = 1",
        "a = {" + ".".join("b" * 5000) + " = 1}",
        "[" + " . ".join("a" * 5000) + "]",
        ".".join(["'='"] * 5000) + " = 1",
        ".".join(['"\\""'] * 5000) + " = 1",
    ],
)
def test_a_key_of_thousands_of_parts_is_refused_before_it_is_parsed(text: str) -> None:
    begun_s = time.process_time()
    with pytest.raises(ValueError, match="line 1: a key of more than"):
        parse(text, "it", ValueError)
    assert time.process_time() - begun_s < 0.05


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"[a{i}]\n" for i in range(100_000)),
        "".join(f"  [a{i}.b.c.d.e]\n" for i in range(20_000)),
        "[[a]]\n" * 100_000,
        "x = [" + "{a.b.c.d.e.f.g = 1}, " * 40_000 + "]",
        "".join(f"a{i}.b.c.d.e.f.g = 1\n" for i in range(40_000)),
        "a = 1\n" * 700_000,
    ],
)
def test_a_text_of_so_many_tables_that_they_would_fill_a_pis_memory_is_refused_before_it_is_parsed(text: str) -> None:
    begun_s = time.process_time()
    with pytest.raises(ValueError, match=r"more than 4000 tables|longer than 1000000 bytes"):
        parse(text, "it", ValueError)
    assert time.process_time() - begun_s < 0.2


def test_a_long_list_of_rows_of_numbers_is_no_table() -> None:
    rows = "x = [\n" + "  [1.5, -2.25e3], [3.5, 4.5],\n" * 3000 + "]\n[[t]]\na.b = 1\n"
    assert len(parse(rows, "it", ValueError)["x"]) == 6000  # type: ignore[arg-type]  # a list
    assert parse("".join(f"[[a]]\nb.c = {i}.5\n" for i in range(3999)), "it", ValueError)


def test_dots_that_are_no_key_are_none() -> None:
    dots = "." * 2 * MAX_KEY_PARTS
    good = f'a = "{dots}" # {dots}\nb = """\n{dots}\\"""" # {dots}\n'
    good += f"c.\"{dots}\" = '{dots}'\nd = [1.5, 2.5, {'3.5, ' * 99}]\n"
    assert parse(good, "it", ValueError)["a"] == dots


@given(st.text(alphabet="a.=[]{},\"'#\\\n 1", max_size=200))
def test_what_is_refused_for_its_keys_has_so_many_dots(text: str) -> None:
    try:
        parse(text, "it", ValueError)
    except ValueError as e:
        if "a key of more than" in str(e):
            assert text.count(".") >= MAX_KEY_PARTS


def test_the_case_that_was_found_is_refused_within_50_ms() -> None:
    case = CASES / "dotted20k.toml"
    if not case.exists():
        pytest.skip("the case is not there")
    begun_s = time.process_time()
    with pytest.raises(ValueError, match="a key of more than"):
        parse(read_text(case, ValueError), "it", ValueError)
    assert time.process_time() - begun_s < 0.05
    for shipped in FOLDER.glob("*.toml"):
        assert parse(read_text(shipped, ValueError), "it", ValueError)


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="no /proc here")
@pytest.mark.parametrize("path", [Path("/proc/kmsg"), Path("/proc/self/environ"), Path("/proc/self/mem")])
def test_a_file_of_the_kernels_is_none_though_it_looks_regular(path: Path) -> None:
    """Whoever reads the first waits for the next message."""
    for read in (lambda: read_text(path, ValueError), lambda: open_regular_file(path)):
        with pytest.raises((ValueError, NotReadable, PermissionError), match=r"the kernel's own|Permission"):
            read()
