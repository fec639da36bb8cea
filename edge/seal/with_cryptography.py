"""Ed25519 by the library ``cryptography``: for signed notes, and where ssh-keygen is missing or refuses.

Importing this module raises ``ImportError`` where the library is missing. It must never write a key anywhere.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from calibration.bounded_file import NotReadable, read_regular_file
from edge.errors import SealFailed

from .ssh_format import ED25519, Signature, signed_part, ssh_string, ssh_strings

_MOST_BYTES = 100_000
HASH = "sha512"
"""What ssh-keygen takes by itself."""


def make_key() -> tuple[bytes, bytes]:
    """Make a key: the private one as OpenSSH writes it, and the public one in SSH's wire format."""
    key = Ed25519PrivateKey.generate()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    return key.private_bytes(*form), _wire(key)


def sign(data: bytes, key_file: Path, namespace: str) -> Signature:
    """Sign bytes as ssh-keygen does. Raises ``SealFailed``."""
    key = _load(key_file)
    value = key.sign(signed_part(data, namespace, HASH))
    return Signature(_wire(key), namespace, HASH, ssh_string(ED25519.encode()) + ssh_string(value))


def is_good(signature: Signature, data: bytes) -> bool:
    """Say whether an Ed25519 signature is by the key that it names, over these bytes."""
    try:
        _, raw_key = ssh_strings(signature.public_key, 2)
        kind, value = ssh_strings(signature.value, 2)
    except ValueError:
        return False
    return kind == ED25519.encode() and is_good_raw(
        raw_key, value, signed_part(data, signature.namespace, signature.hash_name)
    )


def sign_raw(data: bytes, key_file: Path) -> bytes:
    """Sign the bytes themselves: 64 bytes, RFC 8032. Raises ``SealFailed``."""
    return _load(key_file).sign(data)


def is_good_raw(raw_key: bytes, value: bytes, data: bytes) -> bool:
    """Say whether 64 bytes are the signature of a key of 32 bytes over ``data``."""
    try:
        Ed25519PublicKey.from_public_bytes(raw_key).verify(value, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _load(key_file: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_ssh_private_key(read_regular_file(key_file, _MOST_BYTES), None)
    except NotReadable as e:
        raise SealFailed(f"{key_file}: {e}: name a key's file") from e
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as e:
        why = e.strerror if isinstance(e, OSError) else e
        raise SealFailed(f"{key_file}: cannot be signed with ({why}): check its rights, or install OpenSSH") from e
    if not isinstance(key, Ed25519PrivateKey):
        raise SealFailed(f"{key_file}: is no Ed25519 key, which is signed with by ssh-keygen alone: install OpenSSH")
    return key


def _wire(key: Ed25519PrivateKey) -> bytes:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return ssh_string(ED25519.encode()) + ssh_string(raw)
