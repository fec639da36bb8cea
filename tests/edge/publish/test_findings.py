"""What the doctor finds is published, retained, and again where it has changed; a reading that is well is no change."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from publishing import publishing, settings, until
from short_demo import Demo
from small_broker import SmallBroker

from edge.doctor.finding import Finding
from edge.publish.findings import of_the_station, what_changes
from edge.publish.past import Past
from edge.records.status import AlarmStatus, ReadingsStatus, StationStatus, StorageStatus

WIRED = '[bridge]\nchip = "nau7802"\n[oven_probe]\nwires = 4\nref_ohm = 430\nmains_hz = 50\n'


@contextmanager
def answering(path: Path, result: dict[str, Any]) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as station:
        station.bind(str(path))
        station.listen()
        line = json.dumps({"version": 1, "ok": True, "result": result}).encode() + b"\n"

        def answer() -> None:
            while True:
                connection = station.accept()[0]
                with connection:
                    if not connection.recv(65_536):
                        return
                    connection.sendall(line)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_UNIX) as last:
                last.connect(str(path))
            thread.join()


def told(broker: SmallBroker) -> list[dict[str, Any]]:
    return [json.loads(p) for t, p, retained in list(broker.messages) if t == "halfpercent/R1/doctor" and retained]


def test_what_is_found_is_told_once_and_again_where_it_changed(short_demo: Demo, tmp_path: Path) -> None:
    with SmallBroker() as broker:
        how = settings(broker, short_demo.path)
        how = msgspec.structs.replace(how, socket=str(tmp_path / "s"), state_every_s=0.1, doctor_every_s=0.2)
        with publishing(how, tmp_path / "p.json"):
            assert until(lambda: len(told(broker)) == 1)
            states = [m for m in broker.messages if m[0].endswith("/state")]
            assert until(lambda: len([m for m in broker.messages if m[0].endswith("/state")]) > len(states) + 5)
            assert len(told(broker)) == 1  # looked at again and again, and nothing has changed
            with answering(tmp_path / "s", {"state": "idle", "clock": {"synchronised": True}}):
                assert until(lambda: len(told(broker)) == 2)
    before, after = ({f["check"]: f["state"] for f in one["findings"]} for one in told(broker))
    assert (before["station"], "clock" in before) == ("warn", False)
    assert ("station" in after, after["clock"]) == (False, "ok")  # no settings here: no devices that could be named
    assert before["calibration"] == after["calibration"]
    assert (told(broker)[0]["type"], told(broker)[0]["version"]) == ("doctor", 1)


def test_devices_disk_and_clock_are_told_of_as_the_station_sees_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(WIRED, encoding="utf-8")
    monkeypatch.setenv("HALFPERCENT_CONFIG", str(config))
    status = StationStatus(
        state="idle",
        readings=ReadingsStatus(code=12, bridge_status="ok", temp_c=None),
        alarms=(AlarmStatus(alarm="oven probe", why="an open wire"),),
        storage=StorageStatus(free_bytes=1000),
    )
    found = {f.check: f for f in of_the_station(status)}
    assert {name: f.state for name, f in found.items()} == {
        "station": "ok", "nau7802": "ok", "oven probe": "fail", "disk": "warn"
    }  # fmt: skip
    assert found["oven probe"].found == "an open wire"
    config.write_text("[bridge]\nchip = 7\n", encoding="utf-8")
    (wrong,) = (f for f in of_the_station(status) if f.check == "config")
    assert wrong.state == "warn"
    assert "\n" not in wrong.found


def test_a_reading_that_is_well_is_no_change_and_a_fault_with_other_words_is() -> None:
    well, other = Finding("nau7802", "ok", "code 1"), Finding("nau7802", "ok", "code 2")
    fault, worse = Finding("disk", "fail", "no room"), Finding("disk", "fail", "read-only")
    assert what_changes([well]) == what_changes([other])
    assert what_changes([fault]) != what_changes([worse])
    assert what_changes([well]) != what_changes([well, fault])


def test_a_look_that_cannot_be_made_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.publish.past.sys.executable", str(tmp_path / "no-python"))
    past = Past(tmp_path / "none.db")
    past.begin()
    assert past.is_done()
    assert "No such file" in past.found[0].found
    monkeypatch.setattr("edge.publish.past.sys.executable", "/bin/false")
    past.begin()
    assert until(past.is_done)
    assert past.found[0].found.endswith("it ended with status 1")
