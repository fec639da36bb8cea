"""Bad input through the real command: one line that says what, where and what to do, and nothing stored is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edge.cli.main import main
from edge.database.journal import Journal, RunHeader
from edge.database.run_journal import Writing
from edge.database.schema import APPLICATION_ID, SCHEMA_VERSION
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.replay.judge import ReplayOrder, replay
from edge.replay.recording import read
from edge.standards.standard import load_standard

SHORT = 'id = "short"\ntitle = "Short"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 600\n'
CSV = "t_s,mass_g,temp_c\n" + "".join(f"{i},10.{i % 7},20\n" for i in range(30))
COMMAND = [sys.executable, "-m", "edge"]


class Ended(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No database, no settings and no home but those of the test."""
    for name in ("HALFPERCENT_DB", "HALFPERCENT_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """The command as the entry point runs it, in this process."""

    def run(*args: Any) -> Ended:
        monkeypatch.setattr(sys, "argv", ["halfpercent", *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return run


def process(*args: Any, **more: Any) -> Ended:
    """The command in a process of its own."""
    more = {"text": True, "timeout": 60} | more
    done = subprocess.run([*COMMAND, *map(str, args)], capture_output=True, check=False, **more)
    return Ended(done.returncode, done.stdout, done.stderr)


def refused(ended: Ended, *says: str, status: tuple[int, ...] = (1, 2)) -> str:
    assert ended.status in status
    assert ended.out == ""
    assert ended.err.startswith("halfpercent: "), ended.err
    assert ended.err.endswith("\n")
    assert len(ended.err.splitlines()) == 1
    assert "Traceback" not in ended.err
    for words in says:
        assert words in ended.err, ended.err
    return ended.err


@pytest.fixture(scope="module")
def with_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a run that has ended, and one that has not."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "good.csv").write_text(CSV, encoding="utf-8")
    recording = read(folder / "good.csv", columns={}, use_counts=False)
    standard = load_standard("gbt-48093-1-2026")
    with Journal(folder / "kept.db") as journal:
        replay(recording, ReplayOrder(standard, None, weigh="cold", sample=Sample("earlier"), wall_s=1.75e9), journal)
        header = RunHeader(
            run_uid="u", sample_id="cut short", operator="", kind=RunKind.SIMULATED, t0_ns=0,
            standard=standard, certificate=None, settings={},
        )  # fmt: skip
        journal.begin(header, Writing("b", 1.75e9))
    return folder / "kept.db"


@pytest.fixture
def kept(with_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(with_run, tmp_path / "kept.db"))


def rows(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    try:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        return list(db.iterdump())
    finally:
        db.close()


class Unchanged:
    """Around what must not change a file by a byte, nor leave anything beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def look(self) -> tuple[bytes, list[str]]:
        beside = {p.name: p for p in self.path.parent.iterdir() if p.name.startswith(self.path.name)}
        beside.pop(f"{self.path.name}-shm", None)  # SQLite makes it for readers too; it holds no data
        wal = beside.pop(f"{self.path.name}-wal", None)
        assert wal is None or wal.stat().st_size == 0
        return self.path.read_bytes(), sorted(beside)

    def __enter__(self) -> None:
        self.before = self.look()

    def __exit__(self, *error: object) -> None:
        assert self.look() == self.before


# recordings


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty: it needs a header line"),
        (b"t_s,mass_g,temp_c\n", "has a header and no rows"),
        (b"t_s,temp_c\n0,20\n", "--map mass_g=HEADER"),
        (b"t_s,mass_g,temp_c\n0,10,20\n1,ten,20\n", "line 3, column mass_g: 'ten' is not a number"),
        (b"t_s,mass_g,temp_c\n0,10,20\n5,10,20\n4,10,20\n", "line 4: t_s goes back from 5 to 4: sort the rows"),
        (b"t_s,mass_g,temp_c\n0,10,20\n1,NaN,20\n", "line 3, column mass_g: NaN is no reading"),
        (b"t_s,counts,temp_c\n0,10,20\n", "give the cell's certificate (--certificate)"),
        (CSV.encode("utf-16")[:-1], "its byte-order mark says that it is text, and it is not"),
        (bytes(range(256)), "no column t_s"),
        (b"t_s,mass_g,temp_c\n1e30,10,20\n", "line 2: t_s is 1e+30: a recording may last 1e+07 s"),
    ],
)
def test_a_bad_recording_is_refused_and_the_database_is_as_it_was(
    command: Callable[..., Ended], kept: Path, tmp_path: Path, content: bytes, says: str
) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    with Unchanged(kept):
        line = refused(command("replay", "bad.csv", "--db", kept), "bad.csv", says, status=(1,))
    assert line.startswith("halfpercent: bad.csv")


def test_a_recording_of_three_gigabytes_is_refused_at_once(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "big.csv").write_text(CSV, encoding="utf-8")
    os.truncate(tmp_path / "big.csv", 3_000_000_000)  # sparse: it takes no room
    with Unchanged(kept):
        refused(process("replay", "big.csv", "--db", kept), "big.csv: 3.0 GB is more than", "thin it", status=(1,))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["none.csv"], "none.csv: no such file"),
        (["."], "is a folder"),
        (["good.csv", "--columns", "temp_c"], "write NAME=HEADER"),
        (["good.csv", "--columns", "temp_c=T_C"], "no column T_C"),
        (["good.csv", "--declare", "temp_c=warm"], "--declare temp_c: 'warm' is not a number"),
        (["good.csv", "--declare", "humidity=3"], "--declare humidity: unknown"),
        (["good.csv", "--weigh", "warm"], "--weigh"),
        (["good.csv", "--certificate", "none.toml"], "none.toml: no such file"),
        (["good.csv", "--certificate", "broken.toml"], "broken.toml: not TOML"),
        (["good.csv", "--certificate", "half.toml"], "half.toml: made_by is missing"),
        (["good.csv", "--certificate", "good.csv"], "good.csv: not TOML"),
        (["good.csv", "--standard", "gbt"], "standard 'gbt' is unknown: give gbt-48093-1-2026"),
        (["good.csv", "--standard", ""], "standard '' is unknown"),
        (["good.csv", "--standard", "none.toml"], "none.toml: no such file"),
        (["good.csv", "--standard", "negative.toml"], "negative.toml: hold_s.value = -600: give a time in s, above 0"),
        (["good.csv", "--standard", "unknown.toml"], "unknown.toml: hold_h is unknown: did you mean hold_s?"),
        (["good.csv", "--sample", ""], "give one line of text"),
        (["good.csv", "--sample", "two\nlines"], "give one line of text"),
        (["good.csv", "--sample", "\udcff"], "give one line of text"),  # bytes that are no text
        (["good.csv", "more.csv"], "--help"),
        ([], "--help"),
        (["good.csv", "--out", "here"], "--db and --out both name the database"),
    ],
)
def test_wrong_words_to_replay_are_refused_and_the_database_is_as_it_was(
    command: Callable[..., Ended], kept: Path, tmp_path: Path, options: list[str], says: str
) -> None:
    for name, text in {
        "good.csv": CSV,
        "broken.toml": "format = 1\nname = ",
        "half.toml": 'format = 1\nname = "a cell"\n',
        "negative.toml": SHORT.replace("600", "-600"),
        "unknown.toml": SHORT + "hold_h = 6\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with Unchanged(kept):
        refused(command("replay", *options, "--db", kept), says)


# the demo


@pytest.mark.parametrize(
    ("options", "says", "status"),
    [
        (["--scenario", "gas"], "--scenario gas: unknown: use solid, hybrid", 1),
        (["--bridge", "ads1232"], "--bridge ads1232: unknown: use nau7802, hx711", 1),
        (["--seed", "-1"], "--seed", 2),
        (["--seed", "one"], "--seed", 2),
        (["--seed", "99999999999"], "--seed", 2),
        (["--standard", "iso"], "standard 'iso' is unknown", 1),
        (["--standard", "negative.toml"], "negative.toml: hold_s.value = -1", 1),
        (["--sample", " "], "give one line of text", 2),
        (["--sampel", "x"], "--sample", 2),
        (["extra"], "extra", 2),
    ],
)
def test_wrong_words_to_the_demo_are_refused_and_the_database_is_as_it_was(
    command: Callable[..., Ended], kept: Path, tmp_path: Path, options: list[str], says: str, status: int
) -> None:
    (tmp_path / "negative.toml").write_text(SHORT.replace("600", "-1"), encoding="utf-8")
    with Unchanged(kept):
        refused(command("demo", *options, "--db", kept), says, status=(status,))


def test_an_unknown_command_is_wrong_use_and_no_command_is_a_question(command: Callable[..., Ended]) -> None:
    refused(command("measure"), "No such command 'measure'", "halfpercent --help", status=(2,))
    refused(command("two\nlines"), status=(2,))
    ended = command()
    assert (ended.status, ended.err) == (0, "")
    assert "Commands:" in ended.out


# what is stored


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ("99", "no run 99: halfpercent runs lists them"),
        ("2", "run 2 was interrupted: nobody measures it any more: it has no result yet"),
        ("last", "run 2 was interrupted"),
        ("first", "give a run's number, or last"),
        ("-1", ""),
        ("1 or 1", "give a run's number, or last"),
        ("9" * 40, "give a run's number, or last"),
        ("", "give a run's number, or last"),
    ],
)
def test_a_run_that_cannot_be_reported_is_refused(
    command: Callable[..., Ended], kept: Path, run: str, says: str
) -> None:
    with Unchanged(kept):
        refused(command("report", run, "--db", kept), says)


@pytest.mark.parametrize("stored", ["'{'", "'[]'", "'7'", "x'00ff'", "3"])
def test_a_damaged_result_is_refused(command: Callable[..., Ended], kept: Path, stored: str) -> None:
    db = sqlite3.connect(kept)
    with db:
        db.execute(f"update runs set result_json = {stored} where run_id = 1")
    db.close()
    refused(command("report", "1", "--db", kept), "the result of run 1 is damaged", status=(1,))


NOT_OURS = {
    "missing folder": ("no/such/folder/x.db", ""),
    "folder": ("folder", "folder: is a folder: name the database, such as folder/halfpercent.db"),
    "text": ("text.db", "text.db: is not a SQLite database: name another"),
    "another program's": (
        "photos.db",
        "photos.db: is a database of another program: choose another; it was not changed (--db)",
    ),
    "newer": ("newer.db", "update halfpercent; the file was not changed"),
    "without version": ("none.db", "none.db: has no schema version"),
    "cut off": ("cut.db", "cut.db: is damaged"),
}


@pytest.fixture
def foreign(kept: Path, tmp_path: Path) -> Path:
    """A folder of databases that cannot be used."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("dear diary\n" * 999, encoding="utf-8")
    photos = sqlite3.connect(tmp_path / "photos.db")
    photos.execute("create table runs (run_id integer, photo blob)")
    photos.execute("insert into runs values (1, x'ff')")
    photos.commit()
    photos.close()
    for name, version in (("newer.db", SCHEMA_VERSION + 1), ("none.db", 0)):
        db = sqlite3.connect(shutil.copy(kept, tmp_path / name))
        db.execute(f"pragma user_version = {version}")
        db.close()
    (tmp_path / "cut.db").write_bytes(kept.read_bytes()[:9000])
    return tmp_path


@pytest.mark.parametrize("case", NOT_OURS)
@pytest.mark.parametrize("words", [["runs"], ["report", "last"], ["replay", "good.csv"], ["demo", "--json"]])
def test_a_database_that_cannot_be_used_is_refused_and_left_as_it_is(
    command: Callable[..., Ended], foreign: Path, case: str, words: list[str]
) -> None:
    name, says = NOT_OURS[case]
    (foreign / "good.csv").write_text(CSV, encoding="utf-8")
    path = foreign / name
    if path.is_file():
        with Unchanged(path):
            refused(command(*words, "--db", path), says, status=(1,))
    else:
        refused(command(*words, "--db", path), says or str(path.parent if words[0] in ("replay", "demo") else path))
    assert not list(foreign.glob("*.lock"))
    assert not (foreign / "no").exists()


def test_a_database_of_nothing_is_refused_for_reading_and_used_for_writing(
    command: Callable[..., Ended], tmp_path: Path
) -> None:
    refused(command("runs", "--db", "none.db"), "none.db: no such database: run a test first", status=(1,))
    refused(command("runs", "--db", "two\nlines.db"), "two lines.db: no such database", status=(1,))
    assert not (tmp_path / "none.db").exists(), "who only reads makes nothing"
    (tmp_path / "empty.db").touch()
    refused(command("runs", "--db", "empty.db"), "empty.db: is empty", status=(1,))
    (tmp_path / "good.csv").write_text(CSV, encoding="utf-8")
    assert command("replay", "good.csv", "--db", "empty.db").status == 0
    assert "good" in command("runs", "--db", "empty.db").out


@pytest.mark.parametrize("seed", range(12))
def test_a_database_with_damaged_bytes_gives_its_runs_or_one_line(
    command: Callable[..., Ended], kept: Path, seed: int
) -> None:
    import random

    rng = random.Random(seed)
    data = bytearray(kept.read_bytes())
    for _ in range(200):
        data[rng.randrange(100, len(data))] = rng.randrange(256)
    kept.write_bytes(data)
    for words in (["runs"], ["runs", "--json"], ["report", "1", "--json"]):
        ended = command(*words, "--db", kept)
        assert "Traceback" not in ended.err
        if ended.status:
            refused(ended, status=(1,))


def test_a_second_writer_is_refused_and_the_first_goes_on(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(CSV, encoding="utf-8")
    before = rows(kept)
    with Journal(kept):
        line = refused(process("replay", "good.csv", "--db", kept), "another halfpercent is writing to it: wait")
        assert str(kept) in line
        assert process("runs", "--db", kept).status == 0, "who only reads may come at any time"
    assert rows(kept) == before
    assert process("replay", "good.csv", "--db", kept).status == 0


def test_the_environment_names_the_database_and_an_option_beats_it(
    command: Callable[..., Ended], kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFPERCENT_DB", str(kept))
    (tmp_path / "good.csv").write_text(CSV, encoding="utf-8")
    assert json.loads(command("runs", "--json").out)["database"] == str(kept)
    with Unchanged(kept):
        assert command("replay", "good.csv", "--out", "here").status == 0
        assert command("replay", "good.csv", "--db", "other.db").status == 0
        refused(command("runs", "--db", "none.db"), "none.db: no such database")
    assert (tmp_path / "here" / "halfpercent.db").is_file()
    assert (tmp_path / "other.db").is_file()
    assert command("replay", "good.csv").status == 0
    assert len(json.loads(command("runs", "--json").out)["runs"]) == 3


def test_without_a_database_named_a_persons_own_is_used(command: Callable[..., Ended], tmp_path: Path) -> None:
    refused(command("runs"), str(tmp_path / "home" / "halfpercent" / "halfpercent.db"), "no such database", status=(1,))


# settings


def test_each_mistake_in_the_settings_is_a_line(command: Callable[..., Ended], tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[bridge]\nchip = "ads"\n[oven_probe]\nwires = 5\n', encoding="utf-8")
    ended = command("check-config", path)
    assert (ended.status, ended.out) == (1, "")
    lines = ended.err.splitlines()
    assert len(lines) == 4  # chip, wires, and two that are missing
    assert all(line.startswith(f"{path}: ") for line in lines)
    refused(command("check-config", "none.toml"), "none.toml: no such file", status=(1,))
    refused(command("check-config", tmp_path), "is a folder", status=(1,))


# the output


def test_a_reader_who_goes_away_is_no_error(kept: Path) -> None:
    for words in (["runs"], ["report", "1"], ["--help"]):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as gone:
            done = subprocess.run(
                [*COMMAND, *words, *(["--db", str(kept)] if words[0] != "--help" else [])],
                stdout=gone, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_an_error_of_one_line(kept: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*COMMAND, "runs", "--db", str(kept)], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    refused(Ended(done.returncode, "", done.stderr), "No space left on device", status=(1,))


def test_a_terminal_without_the_minus_sign_is_no_error(kept: Path) -> None:
    ended = process("report", "1", "--db", kept, encoding="latin-1", env=os.environ | {"PYTHONIOENCODING": "latin-1"})
    assert (ended.status, ended.err) == (0, "")


# the machine


def test_the_keyboard_ends_a_run_in_one_line_and_what_was_committed_is_there(kept: Path) -> None:
    before = earlier(kept)
    words = ["demo", "--json", "--db", str(kept)]  # six hours: on a busy machine too it is not done before
    # a shell's background job ignores the key, and so would its children
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    running = subprocess.Popen([*COMMAND, *words], **pipes, text=True, preexec_fn=heard)
    deadline = time.monotonic() + 30.0
    while time.monotonic() < deadline and running.poll() is None and stored_chunks(kept, 3) < 2:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    refused(Ended(running.returncode, out, err), "stopped by the keyboard", "is safe", status=(1,))
    assert stored_chunks(kept, 3) >= 2
    assert earlier(kept) == before
    assert not Path(f"{kept}.lock").exists()


def stored_chunks(path: Path, run_id: int) -> int:
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return int(db.execute("select count(*) from chunks where run_id = ?", [run_id]).fetchone()[0])
    finally:
        db.close()


def earlier(path: Path) -> list[tuple[Any, ...]]:
    """All that is stored of the runs that were there before."""
    db = sqlite3.connect(path)
    try:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        tables = ("runs", "chunks", "seconds", "events")
        return [r for t in tables for r in db.execute(f"select * from {t} where run_id < 3 order by 1, 2").fetchall()]
    finally:
        db.close()


def namespace() -> list[str]:
    """What runs a shell with mounts of its own, which end with it. Empty: not allowed here."""
    for words in (["unshare", "-m"], ["unshare", "-rm"]):
        if shutil.which("unshare"):
            done = subprocess.run([*words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
            if done.returncode == 0:
                return words
    return []


NAMESPACE = namespace()
needs_mount = pytest.mark.skipif(
    not NAMESPACE, reason="no right to mount a file system, even in a namespace of its own"
)


def in_namespace(script: str, *args: Any) -> Ended:
    """A shell script whose mounts are its own; ``$HP`` in it is the command, and $1 … are ``args``."""
    done = subprocess.run(
        [*NAMESPACE, "bash", "-c", script, "bash", *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"HP": " ".join(COMMAND)},
    )
    return Ended(done.returncode, done.stdout, done.stderr)


READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec $HP "$@"'


@needs_mount
def test_a_database_in_a_read_only_folder_can_be_read_and_not_written(kept: Path, tmp_path: Path) -> None:
    folder = tmp_path / "medium"
    folder.mkdir()
    path = Path(shutil.copy(kept, folder / "kept.db"))
    (tmp_path / "good.csv").write_text(CSV, encoding="utf-8")
    with Unchanged(path):
        listed = in_namespace(READ_ONLY, folder, "runs", "--json", "--db", path)
        assert (listed.status, listed.err) == (0, "")
        assert [r["sample_id"] for r in json.loads(listed.out)["runs"]] == ["earlier", "cut short"]
        for words in (["--db", path], ["--out", folder / "new"]):
            refused(in_namespace(READ_ONLY, folder, "replay", "good.csv", *words), "Read-only file system", status=(1,))
    assert [p.name for p in folder.iterdir()] == ["kept.db"]


@needs_mount
def test_a_read_only_database_whose_newest_part_cannot_be_read_says_so(kept: Path, tmp_path: Path) -> None:
    folder = tmp_path / "medium"
    folder.mkdir()
    writer = sqlite3.connect(kept)
    writer.execute("pragma journal_mode = wal")
    writer.execute("update runs set operator = 'B' where run_id = 2")
    writer.commit()
    for name in ("kept.db", "kept.db-wal"):  # a copy made while it was written
        shutil.copy(kept.parent / name, folder / name)
    writer.close()
    ended = in_namespace(READ_ONLY, folder, "runs", "--db", folder / "kept.db")
    refused(ended, "its newest part is in kept.db-wal: copy both", status=(1,))


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not bind the superuser; the read-only mount is tested instead")
def test_a_folder_without_the_right_to_write_is_read_and_not_written(kept: Path, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = Path(shutil.copy(kept, folder / "kept.db"))
    (tmp_path / "good.csv").write_text(CSV, encoding="utf-8")
    folder.chmod(0o555)
    try:
        assert process("runs", "--db", path).status == 0
        refused(process("replay", "good.csv", "--db", path), "Permission denied", status=(1,))
    finally:
        folder.chmod(0o755)


FULL = """
mount -t tmpfs -o size=512k tmpfs "$1" && cp "$2" "$1/halfpercent.db" || exit 99
$HP demo --json --standard short.toml --out "$1"
status=$?
df --output=avail "$1" | tail -1 > avail
$HP runs --json --db "$1/halfpercent.db" > runs.json
cp "$1"/halfpercent.db* "$3"
exit $status
"""


@needs_mount
def test_a_disk_that_fills_up_during_a_run_ends_it_in_one_line_and_earlier_runs_are_whole(
    kept: Path, tmp_path: Path
) -> None:
    (tmp_path / "short.toml").write_text(SHORT, encoding="utf-8")
    for name in ("small", "after"):
        (tmp_path / name).mkdir()
    before = earlier(kept)
    ended = in_namespace(FULL, tmp_path / "small", kept, tmp_path / "after")
    refused(ended, "halfpercent.db: the disk is full; what was committed is safe: make room", status=(1,))
    assert int((tmp_path / "avail").read_text()) == 0
    listed = json.loads((tmp_path / "runs.json").read_text())["runs"]  # read while the disk was full
    assert [r["sample_id"] for r in listed] == ["earlier", "cut short", "demo"]
    assert earlier(tmp_path / "after" / "halfpercent.db") == before
    assert stored_chunks(tmp_path / "after" / "halfpercent.db", 3) > 0, "and so is what the new run had committed"


@needs_mount
def test_a_full_disk_does_not_keep_anyone_from_reading(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    script = """
    mount -t tmpfs -o size=512k tmpfs "$1" && cp "$2" "$1/halfpercent.db" || exit 99
    cat /dev/zero > "$1/filler" 2> /dev/null
    exec $HP runs --json --db "$1/halfpercent.db"
    """
    ended = in_namespace(script, tmp_path / "small", kept)
    assert (ended.status, ended.err) == (0, "")
    assert len(json.loads(ended.out)["runs"]) == 2


def test_the_mark_of_our_databases_is_in_the_file(kept: Path) -> None:
    assert kept.read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big") == b"ha50"  # where SQLite keeps it
