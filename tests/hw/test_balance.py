"""Balances over a pseudo-terminal, byte by byte: a stable mass in grams is a reading, anything else is one line."""

from __future__ import annotations

import importlib.util
import os
import select
import termios
from collections.abc import Callable, Iterator

import pytest
from balance_at_a_terminal import at_a_terminal
from click.testing import CliRunner

from edge.cli.main import cli
from edge.errors import BadInput
from edge.instrument.balance import read_balance
from hw.balance import Balance, BalanceProtocol, parse
from hw.errors import BusError, ChipNotReady, HwError, NotAMass
from hw.sim.balance import SimulatedBalance

PROTOCOLS = ["mt-sics", "kcp", "sbi"]
PATIENCE_S = 0.2
needs_pyserial = pytest.mark.skipif(importlib.util.find_spec("serial") is None, reason="pyserial is not installed")


class Line:
    """Our end of a pseudo-terminal, read with a time-out as pyserial does."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, data: bytes, /) -> int:
        return os.write(self._fd, data)

    def read(self, size: int = 1, /) -> bytes:
        return os.read(self._fd, size) if select.select([self._fd], [], [], PATIENCE_S)[0] else b""

    def reset_input_buffer(self) -> None:
        while select.select([self._fd], [], [], 0.0)[0]:
            os.read(self._fd, 100)


def asked(balance: SimulatedBalance, wire: Callable[[str, bytes], None] = lambda way, data: None) -> float:
    with at_a_terminal(balance) as (near, _):
        return Balance(Line(near), BalanceProtocol(balance.protocol), wire).read().mass_g


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("mass_g", [196.354, 0.0, -0.012, 4200.001])
def test_a_stable_mass_is_read(protocol: str, mass_g: float) -> None:
    assert asked(SimulatedBalance(protocol, mass_g)) == pytest.approx(mass_g, abs=1e-9)


def test_an_answer_with_an_identification_is_read() -> None:
    balance = SimulatedBalance("sbi", 196.354)
    balance.identified = True
    assert asked(balance) == 196.354


def test_the_last_digit_and_the_bytes_are_told() -> None:
    told: list[tuple[str, bytes]] = []
    asked(SimulatedBalance("mt-sics", 196.354), lambda way, data: told.append((way, data)))
    assert told == [(">", b"S\r\n"), ("<", b"S S    196.354 g\r\n")]
    reading = parse(b"S S    196.354 g\r\n", BalanceProtocol.MT_SICS)
    assert (reading.digit_g, reading.raw) == (0.001, b"S S    196.354 g\r\n")


@pytest.mark.parametrize(("unit", "per_g"), [("mg", 1000.0), ("kg", 0.001)])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_milligrams_and_kilograms_are_grams(protocol: str, unit: str, per_g: float) -> None:
    balance = SimulatedBalance(protocol, 12.5, decimals=1 if unit == "mg" else 5)
    balance.unit, balance.per_g = unit, per_g
    assert asked(balance) == pytest.approx(12.5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("state", "error", "line"),
    [
        ("unstable", ChipNotReady, "not stable"),
        ("overload", NotAMass, "is overloaded: take something off"),
        ("underload", NotAMass, "is below its range"),
        ("off", ChipNotReady, "nothing came: switch it on"),
    ],
)
def test_what_is_no_stable_mass_is_one_line(protocol: str, state: str, error: type[HwError], line: str) -> None:
    balance = SimulatedBalance(protocol, 196.354)
    balance.state = state  # type: ignore[assignment]  # one of them
    with pytest.raises(error) as caught:
        asked(balance)
    assert line in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    balance.identified = True
    with pytest.raises(error):
        asked(balance)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_ounces_are_not_grams(protocol: str) -> None:
    balance = SimulatedBalance(protocol, 28.35)
    balance.unit, balance.per_g = "oz", 1 / 28.35
    with pytest.raises(NotAMass, match="it answers in oz: set its unit to g"):
        asked(balance)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wrong_parity_is_garbled(protocol: str) -> None:
    balance = SimulatedBalance(protocol, 196.354)
    balance.garbled = True
    with pytest.raises(NotAMass, match=r"garbled .*: set baud rate and parity as on the balance"):
        asked(balance)


@pytest.mark.parametrize("asks", PROTOCOLS)
@pytest.mark.parametrize("answers", PROTOCOLS)
def test_another_protocol_gives_no_mass(asks: str, answers: str) -> None:
    if "sbi" not in (asks, answers) or asks == answers:
        return  # KCP asks and answers as MT-SICS does
    with at_a_terminal(SimulatedBalance(answers, 196.354)) as (near, _), pytest.raises(HwError):
        Balance(Line(near), BalanceProtocol(asks)).read()


def every_cut() -> Iterator[tuple[bytes, BalanceProtocol]]:
    for protocol in PROTOCOLS:
        question = b"\x1bP\r\n" if protocol == "sbi" else b"S\r\n"
        whole = SimulatedBalance(protocol, 196.354).feed(question)
        for cut in range(len(whole)):
            yield whole[:cut], BalanceProtocol(protocol)
            yield whole[:cut] + whole[cut + 1 :], BalanceProtocol(protocol)


@pytest.mark.parametrize(("answer", "protocol"), list(every_cut()))
def test_an_answer_that_lost_a_byte_or_its_end_is_never_a_mass(answer: bytes, protocol: BalanceProtocol) -> None:
    with pytest.raises(HwError) as caught:
        parse(answer, protocol)
    assert len(str(caught.value).splitlines()) == 1


def test_a_line_that_breaks_is_one_line() -> None:
    class Broken(Line):
        def read(self, size: int = 1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with at_a_terminal(SimulatedBalance("kcp")) as (near, _), pytest.raises(BusError, match="the line failed"):
        Balance(Broken(near), BalanceProtocol.KCP).read()


@needs_pyserial
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_command_reads_a_balance_at_a_port_and_shows_the_wire(protocol: str) -> None:
    with at_a_terminal(SimulatedBalance(protocol, 196.354)) as (_, name):
        done = CliRunner().invoke(cli, ["balance", "read", "--port", name, "--protocol", protocol, "--wire"])
    assert done.exit_code == 0, done.output
    assert done.stdout == "196.354 g, stable, last digit 0.001 g\n"
    assert [line[:3] for line in done.stderr.splitlines()] == ["  >", "  <"]


@needs_pyserial
def test_a_port_that_is_not_there_is_one_line() -> None:
    with pytest.raises(BadInput, match=r"/dev/none: cannot be opened .*: name the balance's port"):
        read_balance("/dev/none", BalanceProtocol.KCP, lambda way, data: None)


@needs_pyserial
def test_what_the_system_says_of_a_port_that_is_no_serial_line_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import serial

    def refuse(*_: object, **__: object) -> None:
        raise termios.error(25, "Inappropriate ioctl for device")

    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(BadInput, match=r"/dev/null: cannot be opened .*ioctl.*: name the balance's port"):
        read_balance("/dev/null", BalanceProtocol.KCP, lambda way, data: None)


@needs_pyserial
def test_a_balance_that_is_unplugged_while_it_is_read_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import serial

    def gone(*_: object) -> None:
        raise termios.error(5, "Input/output error")

    monkeypatch.setattr(serial.Serial, "reset_input_buffer", gone)
    with (
        at_a_terminal(SimulatedBalance("mt-sics", 1.0)) as (_, name),
        pytest.raises(BusError, match=r"the line failed \(error: .*check its plug"),
    ):
        read_balance(name, BalanceProtocol.MT_SICS, lambda way, data: None)
