"""What is said in a terminal of 40 and of 80 columns is broken between words; into a pipe it goes whole."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest
from short_demo import Demo

from edge.report.wrap import width_of

ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}


def in_terminal(columns: int, *words: str) -> list[str]:
    """Get the lines that a terminal of so many columns is given by a command."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "edge", *words]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=its, stderr=its, env=ENVIRONMENT):
        os.close(its)
        said = b""
        try:
            while more := os.read(ours, 4096):
                said += more
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    return said.decode().splitlines()


def in_pipe(*words: str) -> list[str]:
    done = subprocess.run([sys.executable, "-m", "edge", *words], env=ENVIRONMENT, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode().splitlines()


@pytest.mark.parametrize("columns", [40, 80])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_cut(short_demo: Demo, columns: int) -> None:
    words = ("runs", "--db", os.path.relpath(short_demo.path))
    shown, whole = in_terminal(columns, *words), in_pipe(*words)
    assert max(map(width_of, shown)) <= columns
    assert max(map(width_of, whole)) > 40
    assert " ".join(shown).split() == " ".join(whole).split()


def test_an_error_is_one_line_in_a_pipe_and_as_wide_as_the_terminal_in_one() -> None:
    shown, whole = in_terminal(40, "status", "--socket", "none.sock"), in_pipe("status", "--socket", "none.sock")
    assert len(whole) == 1
    assert max(map(width_of, shown)) <= 40
    assert " ".join(shown).split() == whole[0].split()


@pytest.mark.parametrize("columns", [40, 80])
def test_help_is_as_wide_as_the_terminal(columns: int) -> None:
    shown = in_terminal(columns, "--help")
    assert max(map(width_of, shown)) <= columns, shown
    assert any(line.startswith("  zero  ") for line in shown)
