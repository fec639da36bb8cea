"""On the virtual Pi the real gpiozero, lgpio, smbus2, spidev and Adafruit code sees our chips through a kernel.

``make test-virtual-pi`` runs these; ``make test`` does not. What is compared with the run in one process is every
number: the raw codes, their times and statuses, the seconds made of them, and the result.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from virtualpi import machine, moments, runs

PLUGS = [
    *([20, "bridge", "unplug"], [30, "bridge", "plug"]),
    *([40, "oven", "unplug"], [45, "oven", "plug"], [50, "cell", "unplug"], [51, "cell", "plug"]),
]


def on_the_pi(out: Path, program: str, *given: Any, timeout_s: float = 300.0) -> dict[str, Any]:
    argv = ["python", "-m", f"virtualpi.{program}", given[0], *map(json.dumps, given[1:])]
    ran = machine.run(argv, out, timeout_s=timeout_s)
    assert ran.status == 0, ran.console
    answer: dict[str, Any] = json.loads((out / "answer.json").read_text(encoding="utf-8"))
    print(f"{program} {' '.join(map(str, given))}: {answer.pop('took_s', '')} s, machine on for {ran.took_s:.0f} s")
    return answer


def test_a_whole_test_over_i2c_and_spidev_gives_the_codes_and_the_verdict_of_one_process(tmp_path: Path) -> None:
    given = ("hybrid", "nau7802", 2, 0)
    there = on_the_pi(tmp_path, "runs", "whole_test", *given, "/out/whole.db", timeout_s=1800.0)
    here = runs.whole_test(runs.in_process, *given, str(tmp_path / "here.db"))
    assert here["result"]["verdict"] == "FAIL"
    assert here["samples"] > 300_000
    if there.pop("versions") != here.pop("versions"):  # the header names them, and the chain begins with it
        assert there.pop("chain") != here.pop("chain")
    assert there == json.loads(json.dumps(here))


@pytest.mark.parametrize("bridge", ["nau7802", "hx711"])
def test_pulling_a_plug_gives_statuses_then_numbers_again_and_all_codes_are_those_of_one_process(
    tmp_path: Path, bridge: str
) -> None:
    there = on_the_pi(tmp_path, "runs", "frames", bridge, 3, 60, PLUGS)
    names = [name for name, _ in there["bridge"]]
    lost = {"nau7802": "BUS_ERROR", "hx711": "NOT_READY"}[bridge]
    assert names[:5] == ["SETTLING", "OK", lost, "SETTLING", "OK"]
    assert names[-1] == "OK"
    assert there["oven"] == [["OK", 40], ["BUS_ERROR", 5], ["FAULT", 1], ["OK", 14]]
    assert [name for name, _ in there["cell"]] == ["OK", "BUS_ERROR", "FAULT", "OK"]
    here = runs.frames(runs.in_process, bridge, 3, 60, PLUGS)
    assert there == json.loads(json.dumps(here))


def test_in_real_time_i2cdetect_and_the_doctor_find_every_chip_and_an_absent_one_is_a_remote_io_error(
    tmp_path: Path,
) -> None:
    answer = on_the_pi(tmp_path, "real_time", "bare")
    assert " 2a " in answer["detected"]
    assert answer["detected"].count("--") > 100
    states = {f["check"]: f["state"] for f in answer["doctor"]["findings"]}
    for check in ("I²C bus", "SPI port", "GPIO", "nau7802", "oven probe", "cell probe"):
        assert states[check] == "ok", answer["doctor"]
    assert answer["absent"] == "EREMOTEIO"
    print(f"a call of smbus2: {answer['call_us']} µs")


def test_the_other_lines_are_a_pis_and_gpiozero_drives_and_hears_them(tmp_path: Path) -> None:
    answer = on_the_pi(tmp_path, "real_time", "lines")
    assert answer["factory"] == "LGPIOFactory"
    assert answer["lit"] == [1, 0, 1]
    assert answer["seen"] == ["pressed", "released", "pressed"]
    assert "58 lines" in answer["info"]
    assert '"GPIO17"' in answer["info"]


@pytest.mark.parametrize(("seed", "what"), [(8, "power_cut"), (11, "restart"), (1, "brown_out")])
def test_a_restart_a_power_cut_and_a_brown_out_in_a_test_give_what_they_give_in_one_process(
    seed: int, what: str
) -> None:
    one = moments.act_on_the_pi(seed, 60.0, "nau7802", "")
    print(one.line())
    assert one.acted.night == what
    assert one.same
    assert not one.acted.wrong
