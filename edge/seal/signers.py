"""Whose signature it is: lines of ``allowed_signers``, as ``ssh-keygen -Y verify -f`` reads them.

A line is a name, options, and a public key. Of the options only ``namespaces`` is understood; a line with another is
left out, for what it forbids is not known here. This module must never take a key from a signature for one that is
known.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from calibration.bounded_file import NotReadable, read_regular_file
from edge.errors import BadEvidence

from .ssh_format import ED25519, NAMESPACE, key_algorithm, ssh_string, ssh_strings

MOST_BYTES = 1_000_000
_OPTIONS = re.compile(r'namespaces="([^"]*)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key in SSH's wire format."""

    wire: bytes

    @property
    def algorithm(self) -> str:
        """Get its kind, such as ``ssh-ed25519``."""
        return key_algorithm(self.wire)

    @property
    def coded(self) -> str:
        """Get it as it stands in SSH's files."""
        return base64.b64encode(self.wire).decode()

    @property
    def fingerprint(self) -> str:
        """Get what people compare, as SSH shows it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.wire).digest()).decode().rstrip("=")

    @property
    def raw(self) -> bytes:
        """Get the 32 bytes of an Ed25519 key. Raises ``BadEvidence`` for another kind."""
        if self.algorithm != ED25519:
            raise BadEvidence(f"key {self.fingerprint}: is of kind {self.algorithm}: a rig has an {ED25519} key")
        return ssh_strings(self.wire, 2)[1]

    def allowed_signers_line(self, name: str) -> str:
        """Get the line by which somebody else knows this key."""
        return f'{name} namespaces="{NAMESPACE}" {self.algorithm} {self.coded}'

    @staticmethod
    def of_raw(raw: bytes) -> PublicKey:
        """Get the key of these 32 bytes of Ed25519."""
        return PublicKey(ssh_string(ED25519.encode()) + ssh_string(raw))

    @staticmethod
    def from_line(line: str, where: str) -> PublicKey:
        """Read a key as it stands in a ``.pub`` file: kind, key, comment. Raises ``BadEvidence``."""
        kind, _, rest = line.strip().partition(" ")
        try:
            key = PublicKey(base64.b64decode(rest.split(" ")[0], validate=True))
            if key.algorithm == kind and (kind != ED25519 or len(key.raw) == 32):
                return key
        except (ValueError, binascii.Error, IndexError):
            pass
        raise BadEvidence(f"{where}: is no public key of SSH: give the line of a .pub file")


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody whose key is known, and for what (patterns of namespaces; none: for all)."""

    name: str
    key: PublicKey
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signers:
    """All whose keys are known."""

    known: tuple[Signer, ...] = ()

    def name_of(self, key: bytes, namespace: str = NAMESPACE) -> str | None:
        """Get whose key it is, where it is known for this namespace; None where it is not."""
        for signer in self.known:
            allowed = not signer.namespaces or any(fnmatch.fnmatchcase(namespace, p) for p in signer.namespaces)
            if signer.key.wire == key and allowed:
                return signer.name
        return None

    @staticmethod
    def load(path: Path) -> Signers:
        """Read a file of lines. Raises ``BadEvidence`` where it cannot be read, or where a key in it is none."""
        try:
            text = read_regular_file(path, MOST_BYTES).decode()
        except (NotReadable, UnicodeDecodeError) as e:
            raise BadEvidence(f"{path}: {e}: give lines as halfpercent key show prints them") from e
        lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
        read = (_read(line, f"{path}, line {number}") for number, line in lines if line and not line.startswith("#"))
        return Signers(tuple(signer for signer in read if signer is not None))


def _read(line: str, where: str) -> Signer | None:
    name, _, rest = line.partition(" ")
    namespaces: tuple[str, ...] = ()
    if found := _OPTIONS.match(rest.lstrip()):
        namespaces = tuple(filter(None, found[1].split(",")))
        rest = rest.lstrip()[found.end() :]
    rest = rest.strip()
    if not re.match(r"[a-z0-9@.-]+ [A-Za-z0-9+/]+=* ?", rest):
        return None  # an option that is not understood
    return Signer(name, PublicKey.from_line(rest, where), namespaces)
