"""People's signatures under a run: who, as what and when, by their own SSH key, bound to the run's manifest.

This module must never take a name for the person's: their key says who it is, where it is known.
"""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from edge.errors import BadEvidence
from edge.seal import canonical_json, sshsig
from edge.seal.canonical_json import without_fractions
from edge.seal.signers import PublicKey, Signers
from edge.seal.ssh_format import Signature

from .package import MANIFEST, PEOPLE, Package
from .verification import PersonSigned

NAMESPACE = "signature@halfpercent"
"""What a person's signature is for: a rig's seal does not pass for one."""
MOST_PEOPLE = 20
Meaning = Literal["authorship", "review", "release"]


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person signs: the name as it is to be printed, the meaning, the time, and the SHA-256 of the manifest."""

    format: Literal["halfpercent-signature/1"] = "halfpercent-signature/1"
    manifest_sha256: str
    meaning: Meaning
    name: str
    signed_utc: str


def sign_package(package: Package, meaning: Meaning, name: str, key_file: Path, now: datetime.datetime) -> Package:
    """Get a package with a person's signature in it. Raises ``BadEvidence`` where it is not sealed, ``SealFailed``."""
    if MANIFEST not in package.files:
        raise BadEvidence(
            "there is no manifest to sign: the run was not sealed: make a key on the rig for the next one"
        )
    number = 1 + sum(file.endswith(".json") for file in package.files if file.startswith(PEOPLE))
    if number > MOST_PEOPLE:
        raise BadEvidence(f"{MOST_PEOPLE} people signed it already: begin again with the file as it was exported")
    statement = Statement(
        manifest_sha256=hashlib.sha256(package.files[MANIFEST]).hexdigest(),
        meaning=meaning,
        name=name,
        signed_utc=now.astimezone(datetime.UTC).isoformat(timespec="seconds"),
    )
    raw = canonical_json.to_bytes(without_fractions(msgspec.to_builtins(statement)))
    signature = sshsig.sign(raw, key_file, NAMESPACE)
    at = f"{PEOPLE}{number:02}.json"
    return Package(
        package.root,
        package.described,
        package.files | {at: raw, f"{at}.sig": signature.to_text().encode()},
    )


def people_who_signed(package: Package, signers: Signers) -> tuple[PersonSigned, ...]:
    """Get who signed a package. Raises ``BadEvidence`` where a signature is not over what it stands beside."""
    files = {name: data for name, data in package.files.items() if name.startswith(PEOPLE)}
    found = []
    for at in sorted(name for name in files if name.endswith(".json"))[:MOST_PEOPLE]:
        if f"{at}.sig" not in files:
            raise BadEvidence(f"{at}: its signature is missing")
        raw = files.pop(at)
        signature = Signature.from_text(files.pop(f"{at}.sig"), f"{at}.sig")
        try:
            statement = msgspec.convert(canonical_json.from_bytes(raw, at), Statement)
        except msgspec.ValidationError as e:
            raise BadEvidence(f"{at}: is no signature of a person ({e})") from e
        if statement.manifest_sha256 != hashlib.sha256(package.files.get(MANIFEST, b"")).hexdigest():
            raise BadEvidence(f"{at}: is of another run's manifest")
        if signature.namespace != NAMESPACE or not sshsig.is_good(signature, raw):
            raise BadEvidence(f"{at}.sig: is not over {at}, or not by the key that it names")
        found.append(
            PersonSigned(
                name=statement.name,
                meaning=statement.meaning,
                signed_utc=statement.signed_utc,
                fingerprint=PublicKey(signature.public_key).fingerprint,
                known=signers.name_of(signature.public_key, NAMESPACE) is not None,
            )
        )
    if files:
        raise BadEvidence(f"{min(files)}: is no signature of a person")
    return tuple(found)
