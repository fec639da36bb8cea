"""What of a kernel's source is changed before it is built: so that it boots on processors with large register sets.

User-Mode Linux 6.12 keeps 2696 bytes for a process's floating-point registers; with AMX there are 11 kB of them, and
the host takes back exactly as many as it gave. This module must never change a line that is not what it expects.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

REGISTERS = "arch/x86/um/os-Linux/registers.c"
EDITS: Sequence[tuple[str, str, str]] = (
    (
        "arch/x86/um/user-offsets.c",
        "\tDEFINE_LONGS(HOST_FP_SIZE, 2696);\n",
        "\tDEFINE_LONGS(HOST_FP_SIZE, 12288);\n",
    ),
    (
        REGISTERS,
        "static int have_xstate_support;\n",
        "static int have_xstate_support;\nstatic unsigned long xstate_len;\n",
    ),
    (
        REGISTERS,
        "\t\tiov.iov_len = FP_SIZE * sizeof(unsigned long);\n\t\tif (ptrace(PTRACE_SETREGSET,",
        "\t\tiov.iov_len = xstate_len;\n\t\tif (ptrace(PTRACE_SETREGSET,",
    ),
    (
        REGISTERS,
        "\tif (ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &iov) == 0)\n\t\thave_xstate_support = 1;\n",
        "\tif (ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &iov) == 0) {\n"
        "\t\thave_xstate_support = 1;\n\t\txstate_len = iov.iov_len;\n\t}\n",
    ),
)
"""File, what stands there once, and what shall. The frame lies on the stack, which ``kernel.config`` makes larger."""

TOO_SMALL = "set fp regs failed"
"""What a kernel that was built without these edits says on such a processor, before it panics."""


def mend(source: Path) -> None:
    """Change the source in a folder. Raises ``RuntimeError``, one line, where it is not the one that is known."""
    for name, old, new in EDITS:
        path = source / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise RuntimeError(f"{name}: not as known here: look whether this kernel still needs mended_kernel.py")
        path.write_text(text.replace(old, new), encoding="utf-8")
