"""A signature by an SSH key over some bytes (SSHSIG), as ``ssh-keygen -Y sign`` makes it.

The format is OpenSSH's PROTOCOL.sshsig. Signing and checking is done by ssh-keygen, or by the library ``cryptography``
where that is missing or refuses (a user without an entry in passwd); an Ed25519 signature is the same to the byte. This
module must never say of a signature that is good whose it is: :mod:`edge.seal.signers` does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadEvidence, SealFailed

NAMESPACE = "evidence@halfpercent"
"""What a rig's seal is for: a signature for anything else does not pass for one."""
MOST_BYTES = 20_000
"""Of a signature as text; one by the longest RSA key has 4000."""
ED25519 = "ssh-ed25519"
_MAGIC, _VERSION = b"SSHSIG", 1
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_LINE = 70
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_TIMEOUT_S = 60.0
"""A key on a token waits for a finger."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature and what it says of itself: the public key (SSH's wire format), its namespace, the hash."""

    public_key: bytes
    namespace: str
    hash_name: str
    value: bytes

    @property
    def algorithm(self) -> str:
        """Get the kind of its key, such as ``ssh-ed25519``."""
        return key_algorithm(self.public_key)

    def to_text(self) -> str:
        """Write it as OpenSSH does."""
        parts = (self.public_key, self.namespace.encode(), b"", self.hash_name.encode(), self.value)
        coded = base64.b64encode(_MAGIC + struct.pack(">I", _VERSION) + b"".join(map(ssh_string, parts))).decode()
        lines = [coded[i : i + _LINE] for i in range(0, len(coded), _LINE)]
        return "\n".join([_BEGIN, *lines, _END, ""])

    @staticmethod
    def from_text(text: str | bytes, where: str) -> Signature:
        """Read one that OpenSSH wrote, and no other spelling of it. Raises ``BadEvidence``, with ``where`` it stood."""
        try:
            written = text.decode("ascii") if isinstance(text, bytes) else text
            if len(written) > MOST_BYTES:
                raise ValueError("too long")
            written = written.replace("\r\n", "\n")
            lines = written.strip().split("\n")
            if lines[0] != _BEGIN or lines[-1] != _END:
                raise ValueError("no SSH signature")
            found = _from_blob(base64.b64decode("".join(lines[1:-1]), validate=True))
            if found.to_text().strip() != written.strip():
                raise ValueError("not as OpenSSH writes it")
            return found
        except (ValueError, UnicodeDecodeError, binascii.Error) as e:
            raise BadEvidence(f"{where}: is no SSH signature ({e}): it was changed, or is another file") from e


def sign(data: bytes, key_file: Path, namespace: str = NAMESPACE) -> Signature:
    """Sign bytes with a private key. Raises ``SealFailed`` where neither ssh-keygen nor cryptography can."""
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


INSTALL = "install OpenSSH, or pip install 'halfpercent[seal]'"


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


def signed_part(data: bytes, namespace: str, hash_name: str) -> bytes:
    """Get what the key signs: not the bytes themselves, but their hash and what the signature is for."""
    parts = (namespace.encode(), b"", hash_name.encode(), _HASHES[hash_name](data).digest())
    return _MAGIC + b"".join(map(ssh_string, parts))


def ssh_string(raw: bytes) -> bytes:
    """Write bytes as SSH does: their length first."""
    return struct.pack(">I", len(raw)) + raw


def ssh_strings(raw: bytes, most: int) -> list[bytes]:
    """Read all strings, at most ``most``. Raises ``ValueError`` where the bytes do not end with one."""
    found = list[bytes]()
    while raw:
        length = int.from_bytes(raw[:4], "big")
        if len(raw) < 4 + length or len(found) == most:
            raise ValueError("cut off, or too much")
        found.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    return found


def key_algorithm(public_key: bytes) -> str:
    """Get the kind of a public key in SSH's wire format. Raises ``ValueError`` where it is none."""
    return ssh_strings(public_key, 10)[0].decode("ascii")


def _from_blob(blob: bytes) -> Signature:
    if blob[: len(_MAGIC) + 4] != _MAGIC + struct.pack(">I", _VERSION):
        raise ValueError("another version")
    public_key, namespace, _reserved, hash_name, value = ssh_strings(blob[len(_MAGIC) + 4 :], 5)
    if _reserved or hash_name.decode("ascii") not in _HASHES or not key_algorithm(public_key):
        raise ValueError("not as OpenSSH writes it")
    return Signature(public_key, namespace.decode("ascii"), hash_name.decode("ascii"), value)
