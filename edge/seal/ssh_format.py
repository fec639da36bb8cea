"""A signature by an SSH key as text, by OpenSSH's PROTOCOL.sshsig.

This module must never say that a signature is good.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass

from edge.errors import BadEvidence

NAMESPACE = "evidence@halfpercent"
"""What a rig's seal is for: a signature for anything else does not pass for one."""
MOST_BYTES = 20_000
"""Of a signature as text; one by the longest RSA key has 4000."""
ED25519 = "ssh-ed25519"
_MAGIC, _VERSION = b"SSHSIG", 1
_BLANKS = " \t\r\n\v\f"
"""What may stand around a signature: Python strips control characters too."""
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_LINE = 70
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}


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
            lines = written.strip(_BLANKS).split("\n")
            if lines[0] != _BEGIN or lines[-1] != _END:
                raise ValueError("no SSH signature")
            found = _from_blob(base64.b64decode("".join(lines[1:-1]), validate=True))
            if found.to_text().strip(_BLANKS) != written.strip(_BLANKS):
                raise ValueError("not as OpenSSH writes it")
            return found
        except (ValueError, UnicodeDecodeError, binascii.Error) as e:
            raise BadEvidence(f"{where}: is no SSH signature ({e}): it was changed, or is another file") from e


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
