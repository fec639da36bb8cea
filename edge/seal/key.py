"""The rig's own key: made once, private, beside the database that it seals.

The folder ``seal`` beside a database holds all that belongs to its seals. The private key is the service's alone
(0600); whoever reads the database may read the rest. This module must never write over a key: what it signed could not
be checked any more.
"""

from __future__ import annotations

import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from calibration.bounded_file import NotReadable, read_regular_file
from edge.errors import BadEvidence, SealFailed

from .signers import PublicKey
from .sshsig import INSTALL, run_ssh_keygen

FOLDER = "seal"
KEY_NAME = "rig_ed25519"
_MOST_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class RigKey:
    """A rig's key: where the private one is, the public one, and the name that its maker gave it."""

    file: Path
    public: PublicKey
    name: str

    @property
    def allowed_signers_line(self) -> str:
        """Get the line by which an auditor knows this rig."""
        return self.public.allowed_signers_line(self.name)


def seal_folder(database: Path) -> Path:
    """Get where the seals of a database are, and the key that makes them."""
    return Path(os.path.realpath(database)).parent / FOLDER  # a link to itself is refused where it is read


def make_key(folder: Path, name: str | None = None) -> RigKey:
    """Make a key in a folder, for the one who runs this. ``name``: what the rig is called (its host name).

    Raises ``SealFailed`` where there is one already, or where none can be made.
    """
    name = host_name() if name is None else name
    file = folder / KEY_NAME
    if file.exists():
        raise SealFailed(f"{file}: there is a key already, and what it signed is checked by it: leave it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".key-", dir=folder) as made:
            new = Path(made) / KEY_NAME
            _make(new, name)
            new.chmod(0o600)
            public = new.with_suffix(".pub")
            public.chmod(0o644)
            os.link(new, file)  # not over one that was made meanwhile
            public.replace(_public(file))
    except FileExistsError as e:
        raise SealFailed(f"{file}: there is a key already, and what it signed is checked by it: leave it") from e
    except OSError as e:
        raise SealFailed(f"{folder}: no key can be made there ({e.strerror}): check its rights") from e
    found = find_key(folder)
    assert found is not None  # it was just made
    return found


def find_key(folder: Path) -> RigKey | None:
    """Get the key of a folder by its public half; None: there is none. Raises ``BadEvidence`` where it is damaged."""
    file = folder / KEY_NAME
    if not file.exists() and not _public(file).exists():
        return None
    try:
        line = read_regular_file(_public(file), _MOST_BYTES).decode().strip()
    except (NotReadable, UnicodeDecodeError) as e:
        raise BadEvidence(f"{_public(file)}: {e}: make it from the key: ssh-keygen -y -f {KEY_NAME}") from e
    return RigKey(file, PublicKey.from_line(line, str(_public(file))), _name_in(line))


def host_name() -> str:
    """Get what this machine is called, as one word."""
    return "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in socket.gethostname()) or "rig"


def _public(file: Path) -> Path:
    return file.with_name(f"{file.name}.pub")


def _name_in(line: str) -> str:
    name = line.split(" ", 2)[2] if line.count(" ") >= 2 else "rig"
    return "".join(c if c.isprintable() and not c.isspace() else "-" for c in name)[:80] or "rig"


def _make(file: Path, name: str) -> None:
    done = run_ssh_keygen(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)])
    if done is not None and done.returncode == 0:
        file.with_name(f"{file.name}.pub").rename(file.with_suffix(".pub"))
        return
    try:
        from . import with_cryptography
    except ImportError as e:
        raise SealFailed(f"no key can be made here: {INSTALL}") from e
    private, wire = with_cryptography.make_key()
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(private)
    key = PublicKey(wire)
    file.with_suffix(".pub").write_text(f"{key.algorithm} {key.coded} {name}\n", encoding="utf-8", newline="\n")
