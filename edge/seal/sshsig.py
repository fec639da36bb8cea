"""Signing and checking SSHSIG: by ssh-keygen, or by the library ``cryptography``.

The latter is for where ssh-keygen is missing or refuses (a user without an entry in passwd); what Ed25519 signs is the
same to the byte. This module must never say of a signature that is good whose it is: :mod:`edge.seal.signers` does.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from calibration.bounded_file import what_it_is
from edge.errors import SealFailed

from .ssh_format import ED25519, NAMESPACE, Signature

INSTALL = "install OpenSSH, or pip install 'halfpercent[seal]'"
_TIMEOUT_S = 60.0
"""A key on a token waits for a finger."""


def sign(data: bytes, key_file: Path, namespace: str = NAMESPACE) -> Signature:
    """Sign bytes with a private key. Raises ``SealFailed`` where neither ssh-keygen nor cryptography can.

    A key that is a pipe or a device is refused: ssh-keygen would wait for it.
    """
    if what := _no_regular_file(key_file):
        raise SealFailed(f"{key_file}: {what}: name a key's file")
    done = run_ssh_keygen(["-Y", "sign", "-q", "-f", str(key_file), "-n", namespace], data)
    if done is not None and done.returncode == 0:
        return Signature.from_text(done.stdout, "what ssh-keygen said")
    why = "ssh-keygen is not installed" if done is None else done.stderr.decode(errors="replace").strip()[:200]
    try:
        from . import with_cryptography
    except ImportError as e:
        raise SealFailed(f"{key_file}: cannot be signed with ({why}): {INSTALL}") from e
    return with_cryptography.sign(data, key_file, namespace)


def is_good(signature: Signature, data: bytes) -> bool:
    """Say whether a signature is by the key that it names, over these bytes.

    Raises ``SealFailed`` where neither ssh-keygen nor cryptography can say.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "signature"
        file.write_text(signature.to_text(), encoding="ascii", newline="\n")
        said = run_ssh_keygen(["-Y", "check-novalidate", "-n", signature.namespace, "-s", str(file)], data)
    if said is not None and (answer := said.stdout.strip()).startswith((b"Good ", b"Could not verify")):
        return answer.startswith(b"Good ") and said.returncode == 0
    try:  # it could not even begin: its status would be that of a bad signature
        from . import with_cryptography
    except ImportError as e:
        raise SealFailed(f"no signature can be checked here: {INSTALL}") from e
    if signature.algorithm != ED25519:
        kind = signature.algorithm
        raise SealFailed(f"a signature by a key of kind {kind} is checked by ssh-keygen alone: install OpenSSH")
    return with_cryptography.is_good(signature, data)


def _no_regular_file(file: Path) -> str:
    try:
        return what_it_is(file.stat())
    except (OSError, ValueError):
        return ""  # ssh-keygen says what is wrong


def run_ssh_keygen(arguments: list[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes] | None:
    """Run ssh-keygen with ``given`` on its input; None where it is not installed, or does not end."""
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments],
            input=given,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
            env=os.environ | {"LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
