"""The manifest of a run: what its seal says, in JSON that any language reads and writes alike (docs/evidence.md).

It names by hash what is long (chain, result, standard, certificate) and says in plain text what a person asks first.
Fractions are text. This module must never say what is not in the database, but for who seals, when, and with what.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from edge.database.connection import Database, parsed_rows
from edge.database.outcome import RESULT_COLUMNS, sha256_of_text
from edge.database.queries import clock_was_set
from edge.database.run_check import Covered, Head, run_head
from edge.database.stored_json import decoded
from edge.errors import BadEvidence, NoSuchRun

from . import canonical_json
from .canonical_json import without_fractions
from .versions import Versions

FORMAT: Literal["halfpercent-manifest/1"] = "halfpercent-manifest/1"
MOST_BYTES = 1_000_000


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a manifest."""


class SealedBy(_Part, frozen=True, kw_only=True):
    """Who seals, when by this machine's clock, and with what software."""

    name: str
    fingerprint: str
    sealed_utc: str
    versions: Versions


class RunNamed(_Part, frozen=True, kw_only=True):
    """Which run it is. ``clock_set``: the wall clock is known to have been set when it was last measured."""

    uid: str
    number: int
    kind: str
    state: str
    sample_id: str
    operator: str
    started_utc: str
    ended_utc: str | None
    clock_set: bool
    software_version: str


class Named(_Part, frozen=True, kw_only=True):
    """A file by its name and the SHA-256 (hex) of what it says."""

    name: str
    sha256: str


class ResultNamed(_Part, frozen=True, kw_only=True):
    """What the run came to: the columns of ``runs``, and the SHA-256 (hex) of the result's JSON as it is stored."""

    sha256: str
    verdict: str | None
    invalid_because: str | None
    numbers: dict[str, str | None]


class ChainNamed(_Part, frozen=True, kw_only=True):
    """The run's chain: how many links, the first and the last one (SHA-256, hex), and what it covers."""

    links: int
    first_sha256: str
    last_sha256: str
    covers: tuple[str, ...]

    def head(self, run_id: int, run_uid: str) -> Head:
        """Get it as the head against which a database is checked."""
        covers = frozenset(c for c in Covered if c in self.covers)
        return Head(run_id, run_uid, self.links, self.first_sha256, self.last_sha256, covers)


class Manifest(_Part, frozen=True, kw_only=True):
    """What a seal says of a run.

    ``settings`` are those of the run, with what was declared of the sample, its specimen's record and the chips'
    revisions; ``nonce`` is what somebody gave at the start, ``log_head`` the checkpoint that was shown then.
    """

    format: Literal["halfpercent-manifest/1"] = FORMAT
    sealed_by: SealedBy
    run: RunNamed
    standard: Named
    certificates: tuple[Named, ...]
    settings_sha256: str
    settings: dict[str, object]
    nonce: str | None
    log_head: str | None
    result: ResultNamed
    chain: ChainNamed

    def to_bytes(self) -> bytes:
        """Write it in the form that is signed."""
        return canonical_json.to_bytes(without_fractions(msgspec.to_builtins(self)))

    @staticmethod
    def from_bytes(raw: bytes, where: str) -> Manifest:
        """Read one. Raises ``BadEvidence``, with ``where`` it stood."""
        if len(raw) > MOST_BYTES:
            raise BadEvidence(f"{where}: is longer than {MOST_BYTES} bytes, and no manifest is")
        plain = canonical_json.from_bytes(raw, where)
        try:
            return msgspec.convert(plain, Manifest)
        except msgspec.ValidationError as e:
            raise BadEvidence(f"{where}: is no manifest ({e}): it was changed, or another version wrote it") from e


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """A run's row, as far as a manifest says it."""

    run_uid: str
    sample_id: str
    operator: str
    kind: str
    state: str
    started_utc: str
    ended_utc: str | None
    verdict: str | None
    invalid_because: str | None
    standard_id: str
    standard_toml: str
    certificate_sha256: str
    settings_json: str
    result_json: str | None
    software_version: str


_NUMBERS = tuple(column for column in RESULT_COLUMNS if column not in ("verdict", "invalid_because"))


def manifest_of(db: Database, run_id: int, sealed_by: SealedBy) -> Manifest:
    """Get the manifest of a run that has a result. Raises ``NoSuchRun`` where it has none, ``BadDatabase``."""
    columns = ", ".join((*_Row.__struct_fields__, *_NUMBERS))
    found = next(iter(db.query(f"select {columns} from runs where run_id = ?", [run_id])), None)
    if found is None or found["result_json"] is None:
        raise NoSuchRun(f"run {run_id}: {'is not there' if found is None else 'has no result yet'}: nothing to seal")
    sql = "select name, sha256 from certificates where sha256 = ?"
    with parsed_rows(f"run {run_id}: its row"):
        row = msgspec.convert({name: found[name] for name in _Row.__struct_fields__}, _Row)
        settings = decoded(row.settings_json)
        certificates = msgspec.convert(list(db.query(sql, [row.certificate_sha256])), tuple[Named, ...])
        numbers = {name: None if found[name] is None else repr(float(found[name])) for name in _NUMBERS}
        plain = msgspec.convert(without_fractions(settings), dict[str, object])
    head = run_head(db, run_id)
    return Manifest(
        sealed_by=sealed_by,
        run=RunNamed(
            uid=row.run_uid,
            number=run_id,
            kind=row.kind,
            state=row.state,
            sample_id=row.sample_id,
            operator=row.operator,
            started_utc=row.started_utc,
            ended_utc=row.ended_utc,
            clock_set=clock_was_set(db, run_id),
            software_version=row.software_version,
        ),
        standard=Named(name=row.standard_id, sha256=hashlib.sha256(row.standard_toml.encode()).hexdigest()),
        certificates=certificates,
        settings_sha256=sha256_of_text(row.settings_json),
        settings=plain,
        nonce=_text(plain.get("nonce")),
        log_head=_text(plain.get("log_head")),
        result=ResultNamed(
            sha256=sha256_of_text(row.result_json or ""),
            verdict=row.verdict,
            invalid_because=row.invalid_because,
            numbers=numbers,
        ),
        chain=ChainNamed(
            links=head.links,
            first_sha256=head.first_sha256,
            last_sha256=head.sha256,
            covers=tuple(sorted(head.covers)),
        ),
    )


def first_difference(one: object, other: object, where: str = "") -> str | None:
    """Get the place, such as ``run.sample_id``, where two manifests differ first; None where they do not."""
    a, b = (without_fractions(msgspec.to_builtins(x)) for x in (one, other))
    return _first_difference(a, b, where)


def _first_difference(a: object, b: object, where: str) -> str | None:
    if isinstance(a, dict) and isinstance(b, dict):
        for name in sorted({*a, *b}):
            place = f"{where}.{name}" if where else str(name)
            if name not in a or name not in b:
                return place
            if found := _first_difference(a[name], b[name], place):
                return found
        return None
    return None if type(a) is type(b) and a == b else where


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
