"""The tables of schema 2, as they were made. Frozen: changed never again."""

from __future__ import annotations

TABLES_OF_2 = {
    "runs": """
        create table "runs" ("run_id" integer primary key, "run_uid" text, "sample_id" text, "operator" text,
        "kind" text, "state" text, "started_utc" text, "ended_utc" text, "verdict" text, "invalid_because" text,
        "loss_pct" real, "standard_uncertainty_pct" real, "expanded_uncertainty_pct" real,
        "coverage_factor_k" real, "conformance_probability" real, "limit_pct" real, "m1_g" real, "m2_g" real,
        "hold_s" real, "true_loss_pct" real, "standard_id" text, "standard_toml" text,
        "certificate_sha256" text, "settings_json" text, "result_json" text, "software_version" text,
        "t0_ns" integer)
    """,
    "chunks": """
        create table "chunks" ("run_id" integer, "chunk" integer, "boot" integer, "first_second" integer,
        "seconds" integer, "samples" integer, "wall_ms" integer, "raw" blob, "sha256" blob,
        primary key (run_id, chunk))
    """,
    "seconds": """
        create table "seconds" ("run_id" integer, "second" integer, "elapsed_s" real, "phase" text,
        "mass_g" real, "sd_g" real, "temp_c" real, "cell_temp_c" real, "pressure_pa" real, "qualified" integer,
        "hold_s" real, "loss_pct" real, "drift_g_per_h" real, "zero_code" real, "samples_ok" integer,
        "samples_bad" integer, "samples_spike" integer, "bad_because" text,
        primary key (run_id, second)) without rowid
    """,
    "events": """
        create table "events" ("run_id" integer, "event" integer, "second" integer, "elapsed_s" real,
        "wall_utc" text, "kind" text, "who" text, "data_json" text, "previous_sha256" text, "sha256" text,
        primary key (run_id, event))
    """,
    "station_events": """
        create table "station_events" ("event" integer primary key, "boot_id" text, "uptime_s" real,
        "wall_utc" text, "kind" text, "who" text, "data_json" text, "previous_sha256" text, "sha256" text)
    """,
    "boots": """
        create table "boots" ("boot" integer primary key, "boot_id" text)
    """,
    "certificates": """
        create table "certificates" ("sha256" text primary key, "name" text, "made_at" text, "toml" text)
    """,
}
