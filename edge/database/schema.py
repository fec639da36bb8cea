"""The database's tables and views.

Whoever opens the file with a stock tool should understand it: plain names with units, a view per question. This module
must never open a file.
"""

from __future__ import annotations

from sqlite_utils import Database

from .views import VIEWS

SCHEMA_VERSION = 3


APPLICATION_ID = 0x68613530  # "ha50"


TABLES: dict[str, tuple[dict[str, type], tuple[str, ...]]] = {
    "runs": (
        {
            "run_id": int,
            "run_uid": str,
            "sample_id": str,
            "operator": str,
            "kind": str,
            "state": str,
            "started_utc": str,
            "ended_utc": str,
            "verdict": str,
            "invalid_because": str,
            "loss_pct": float,
            "standard_uncertainty_pct": float,
            "expanded_uncertainty_pct": float,
            "coverage_factor_k": float,
            "conformance_probability": float,
            "limit_pct": float,
            "m1_g": float,
            "m2_g": float,
            "hold_s": float,
            "true_loss_pct": float,
            "standard_id": str,
            "standard_toml": str,
            "certificate_sha256": str,
            "settings_json": str,
            "result_json": str,
            "software_version": str,
            "t0_ns": int,
            "header_sha256": bytes,
        },
        ("run_id",),
    ),
    "chunks": (
        {
            "run_id": int,
            "chunk": int,
            "boot": int,
            "first_second": int,
            "seconds": int,
            "samples": int,
            "wall_ms": int,
            "raw": bytes,
            "sha256": bytes,
            "link": int,
        },
        ("run_id", "chunk"),
    ),
    "seconds": (
        {
            "run_id": int,
            "second": int,
            "elapsed_s": float,
            "phase": str,
            "mass_g": float,
            "sd_g": float,
            "temp_c": float,
            "cell_temp_c": float,
            "pressure_pa": float,
            "qualified": int,
            "hold_s": float,
            "loss_pct": float,
            "drift_g_per_h": float,
            "zero_code": float,
            "samples_ok": int,
            "samples_bad": int,
            "samples_spike": int,
            "bad_because": str,
        },
        ("run_id", "second"),
    ),
    "events": (
        {
            "run_id": int,
            "event": int,
            "second": int,
            "elapsed_s": float,
            "wall_utc": str,
            "kind": str,
            "who": str,
            "data_json": str,
            "previous_sha256": str,
            "sha256": str,
            "link": int,
        },
        ("run_id", "event"),
    ),
    "station_events": (
        {
            "event": int,
            "boot_id": str,
            "uptime_s": float,
            "wall_utc": str,
            "kind": str,
            "who": str,
            "data_json": str,
            "previous_sha256": str,
            "sha256": str,
        },
        ("event",),
    ),
    "boots": ({"boot": int, "boot_id": str}, ("boot",)),
    "certificates": ({"sha256": str, "name": str, "made_at": str, "toml": str}, ("sha256",)),
}
"""Each table's columns with their types, and its key. A chunk's wall time is in ms since 1970, its hash in bytes.

``link`` is a row's place in its run's chain, that starts from ``header_sha256``; both are null where a run was recorded
before schema 3."""


WITHOUT_ROWID = ("seconds",)
"""Tables of many small rows, kept in the order of their key: that needs no index beside them."""


_TYPES = {int: "integer", float: "real", str: "text", bytes: "blob"}


def create(db: Database) -> None:
    """Make tables and views in an empty database, within the caller's transaction."""
    db.execute(f"pragma application_id = {APPLICATION_ID}")
    db.execute(f"pragma user_version = {SCHEMA_VERSION}")
    for name in TABLES:
        db.execute(table_sql(name))
    for name, sql in VIEWS.items():
        db.create_view(name, sql)


def table_sql(name: str) -> str:
    """Get the SQL that makes a table of this schema."""
    columns, key = TABLES[name]
    lines = [f'"{column}" {_TYPES[kind]}' for column, kind in columns.items()]
    if len(key) == 1:
        lines = [f"{line} primary key" if line.startswith(f'"{key[0]}"') else line for line in lines]
    else:
        lines.append(f"primary key ({', '.join(key)})")
    end = " without rowid" if name in WITHOUT_ROWID else ""
    return f'create table "{name}" ({", ".join(lines)}){end}'
