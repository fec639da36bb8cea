"""The commands that talk to the station: what is sent for what is typed, and what a person reads."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.cli.main import main
from edge.cli.safety import SHORT
from edge.control.protocol import Request, parse
from edge.control.server import Control
from edge.errors import BadInput
from edge.records.status import StationStatus
from edge.report.status_text import status_text

RUNNING: dict[str, Any] = {
    "state": "running",
    "run": {
        "run_id": 12, "sample_id": "S-1", "operator": "Ada", "kind": "test", "phase": "hold", "elapsed_s": 16_000.0,
        "hold_s": 9_071.9, "hold_required_s": 21_600.0, "mass_g": 98.76543, "loss_pct": 0.12341, "temp_c": 120.0,
        "cell_temp_c": 25.0, "pressure_pa": None,
    },
    "alarms": [
        {
            "alarm": "gauge", "why": "BUS_ERROR: check its plug and cable", "opened_utc": "2026-01-02T03:04:05+00:00",
            "closed": False, "acknowledged": False, "interlock": False,
        },
        {
            "alarm": "over-temperature", "why": "oven at 131.0 °C", "opened_utc": "2026-01-02T03:05:05+00:00",
            "closed": True, "acknowledged": True, "interlock": True,
        },
    ],
    "interlock": "open",
    "readings": {
        "code": 429_000, "bridge_status": "ok", "temp_c": 120.014, "cell_temp_c": 25.31, "pressure_pa": 532.4,
    },
    "storage": {"database": "/var/lib/h.db", "free_bytes": 12_340_000_000, "pending_s": 4, "error": None},
    "clock": {"synchronised": False},
    "uptime_s": 11_520.0,
    "software": "0.1.0",
}  # fmt: skip
IDLE: dict[str, Any] = {
    "state": "idle",
    "run": None,
    "alarms": [],
    "interlock": "none",
    "readings": dict.fromkeys(("code", "bridge_status", "temp_c", "cell_temp_c", "pressure_pa")),
    "storage": {"database": "h.db", "free_bytes": None, "pending_s": 0, "error": "disk full"},
    "clock": {"synchronised": None},
    "last_run": {"run_id": 11, "sample_id": "S-0", "verdict": "PASS"},
    "uptime_s": 0.0,
    "software": "0.1.0",
}


class Service:
    """Answers on a socket as the station does, on a thread of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[Request] = []
        self.answer: dict[str, Any] = {}
        self._over = threading.Event()
        self._control = Control(path)
        self._thread = threading.Thread(target=self._loop)

    def __enter__(self) -> Service:
        self._control.open()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._control.close()

    def _loop(self) -> None:
        while not self._over.wait(0.002):
            self._control.poll(self._handle)

    def _handle(self, request: Request) -> dict[str, Any]:
        parse(request)
        self.asked.append(request)
        if request.args.get("text") == "no":
            raise BadInput("note: not now: wait for the tare")
        return self.answer


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path / "c.sock") as service:
        yield service


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: Any) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["halfpercent", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def told_of(answer: dict[str, Any]) -> str:
    """Show what a station answered, as the command does."""
    return status_text(msgspec.convert(answer, StationStatus))


Command = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("words", "name", "args"),
    [
        (["start", "--sample", "S", "--operator", "A"], "start", {"sample": "S", "operator": "A"}),
        (
            ["start", "--sample", "S", "--operator", "A", "--blank-run", "--zero-after", "--check-weight", "100"],
            "start",
            {"sample": "S", "operator": "A", "kind": "blank", "zero_after": True, "check_weight_g": 100.0},
        ),
        (
            ["start", "--sample", "S", "--operator", "A", "--blank", "3", "--claim", "semi", "--composition", "LFP",
             "--density", "2.4", "--standard", "gbt-48093-1-2026", "--note", "n"],
            "start",
            {"sample": "S", "operator": "A", "blank": 3, "claim": "semi", "composition": "LFP", "density": "2.4",
             "standard": "gbt-48093-1-2026", "note": "n"},
        ),
        (
            ["start", "--sample", "S", "--operator", "A", "--blank", "3", "--blank", "5", "--blank", "7"],
            "start",
            {"sample": "S", "operator": "A", "blank": 3, "more_blanks": "5;7"},
        ),
        (["tare"], "tare", {}),
        (["load"], "load", {}),
        (["vent"], "vent", {}),
        (["zero"], "zero", {}),
        (["check"], "check", {}),
        (["note", "the door was open"], "note", {"text": "the door was open"}),
        (["ack"], "ack", {}),
        (["ack", "over-temperature"], "ack", {"alarm": "over-temperature"}),
        (["abort"], "abort", {}),
        (["abort", "--reason", "power"], "abort", {"reason": "power"}),
        (["status"], "status", {}),
    ],
)  # fmt: skip
def test_what_is_typed_is_what_is_asked(
    service: Service, command: Command, words: list[str], name: str, args: dict[str, Any]
) -> None:
    status, out, err = command(*words, "--socket", service.path)
    # a start shows the short form of the safety page where nobody sits who could say yes
    assert (status, err) == (0, "".join(f"{line}\n" for line in SHORT) if name == "start" else "")
    assert out.strip()
    assert [(r.command, r.args) for r in service.asked] == [(name, args)]


@pytest.mark.parametrize("words", [["tare"], ["ack"], ["note", "a"], ["abort"], ["status"]])
def test_with_json_the_answer_is_printed_as_it_came(service: Service, command: Command, words: list[str]) -> None:
    service.answer = {"acknowledged": 2, "why": "größer"}
    status, out, _ = command(*words, "--json", "--socket", service.path)
    assert status == 0
    assert json.loads(out) == service.answer


def test_a_file_is_named_by_its_whole_path_and_a_standard_by_its_name(
    service: Service, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.toml").write_text("")
    start = ["start", "--sample", "S", "--operator", "A", "--socket", service.path]
    command(*start, "--standard", "my.toml", "--certificate", "cell.toml")
    command(*start, "--standard", "gbt-48093-1-2026")
    first, second = service.asked
    assert first.args["standard"] == str(tmp_path / "my.toml")
    assert first.args["certificate"] == str(tmp_path / "cell.toml")
    assert second.args["standard"] == "gbt-48093-1-2026"


def test_the_socket_may_be_named_in_the_environment(
    service: Service, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFPERCENT_SOCKET", str(service.path))
    assert command("status")[0] == 0


def test_what_the_station_refuses_is_one_line_and_status_1(service: Service, command: Command) -> None:
    status, out, err = command("note", "no", "--socket", service.path)
    assert (status, out, err) == (1, "", "halfpercent: note: not now: wait for the tare\n")


def test_wrong_arguments_are_one_line_too(service: Service, command: Command) -> None:
    status, out, err = command("start", "--sample", "a\nb", "--operator", "A", "--socket", service.path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "sample" in err
    assert command("start", "--sample", "S", "--socket", service.path)[0] == 2


def test_what_is_not_on_disk_yet_is_said(service: Service, command: Command) -> None:
    service.answer = {"not_written_yet": "disk full"}
    status, _, err = command("tare", "--socket", service.path)
    assert status == 0
    assert "disk full" in err


@pytest.mark.parametrize("name", ["start --sample S --operator A", "tare", "note x", "ack", "abort", "status --json"])
def test_without_the_service_it_says_what_to_do(tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge", *name.split(), "--socket", "none.sock"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "not running: sudo systemctl start halfpercent" in done.stderr


def test_asking_loads_no_compiler_and_no_numbers(service: Service) -> None:
    code = (
        f"import sys\nsys.argv = ['halfpercent', 'status', '--socket', {str(service.path)!r}]\n"
        "from edge.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as e:\n    assert not e.code\n"
        "assert not {m.split('.')[0] for m in sys.modules} & {'numba', 'numpy', 'scipy'}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_status_says_what_a_person_asks_for_first() -> None:
    lines = told_of(RUNNING).splitlines()
    told = {line[:12].strip(): line[12:] for line in lines if line[:12].strip()}
    assert told["run"] == "12: sample S-1, operator Ada"
    assert told["phase"] == "hold, 4.44 h since the start"
    assert told["hold"] == "2.51 h of 6.00 h"  # 9071.9 s are 2.5199 h: a clock never shows what it has not had
    assert told["mass"] == "98.7654 g"
    assert told["loss so far"] == "0.1234 %"
    assert told["oven"] == "120.01 °C"
    assert told["load cell"] == "25.31 °C, ok, code 429000"
    assert told["pressure"] == "532 Pa"
    assert told["alarms"] == "2"
    assert told["interlock"].startswith("open until")
    assert told["storage"] == "12.3 GB free for /var/lib/h.db, 4 s not on disk yet"
    assert told["clock"] == "not synchronised: dates are only labels"
    assert told["up"] == "3.20 h, halfpercent 0.1.0"
    gauge, over = (line.strip() for line in lines if line.startswith("   "))
    assert gauge == "gauge: BUS_ERROR: check its plug and cable (open, since 2026-01-02 03:04:05 UTC; halfpercent ack)"
    assert over.endswith("(closed, since 2026-01-02 03:05:05 UTC; acknowledged)")


def test_the_air_that_is_taken_out_of_the_loss_is_said() -> None:
    run = {"loss_pct": 0.48873, "loss_as_weighed_pct": 0.43722, "air_step_pct": 0.05151, "u_air_step_pct": 0.00112}
    text = told_of({"run": run | {"air": "air gone"}})
    assert "0.4887 %: the air's step of 0.0515 % ± 0.0011 % (u) is taken out, 0.4372 % as weighed" in text
    assert "0.4887 % at the hold's end: the air's" in told_of({"run": run | {"air": "air may be coming"}})
    going = {"loss_as_weighed_pct": -0.0212, "air": "air going"}
    assert "unknown (air going), -0.0212 % as weighed" in told_of({"run": going})


def test_status_of_an_idle_station_with_nothing_known_says_so() -> None:
    text = told_of(IDLE)
    assert "idle: halfpercent start begins a test" in text
    assert "11: S-0: PASS" in text
    assert "disk full" in text
    told = {line[:12].strip(): line[12:] for line in text.splitlines()}
    assert told["oven"] == told["pressure"] == told["clock"] == "unknown"
    assert told["load cell"] == "unknown, no sample yet"
    assert told["interlock"] == "not wired"
    assert told["alarms"] == "none"


def test_status_lives_with_an_answer_that_lacks_everything() -> None:
    assert "idle" in told_of({})
    assert "unknown" in told_of({"run": {}})
    assert "None" not in told_of({"run": {}, "alarms": [{}]}) + told_of({"last_run": {}})
