"""The tables of schema 1, as they were made. Frozen: changed never again."""

from __future__ import annotations

TABLES_OF_1 = {
    "runs": """
        CREATE TABLE "runs" ( "run_id" INTEGER PRIMARY KEY, "run_uid" TEXT, "sample_id" TEXT, "operator"
        TEXT, "kind" TEXT, "state" TEXT, "started_utc" TEXT, "ended_utc" TEXT, "verdict" TEXT,
        "invalid_because" TEXT, "loss_pct" REAL, "standard_uncertainty_pct" REAL, "expanded_uncertainty_pct"
        REAL, "coverage_factor_k" REAL, "conformance_probability" REAL, "limit_pct" REAL, "m1_g" REAL,
        "m2_g" REAL, "hold_s" REAL, "true_loss_pct" REAL, "standard_id" TEXT, "standard_toml" TEXT,
        "certificate_sha256" TEXT, "settings_json" TEXT, "result_json" TEXT, "software_version" TEXT,
        "t0_ns" INTEGER )
    """,
    "chunks": """
        CREATE TABLE "chunks" ( "run_id" INTEGER, "chunk" INTEGER, "boot_id" TEXT, "first_second" INTEGER,
        "seconds" INTEGER, "samples" INTEGER, "wall_utc" TEXT, "raw" BLOB, "previous_sha256" TEXT, "sha256"
        TEXT, PRIMARY KEY ("run_id", "chunk") )
    """,
    "seconds": """
        CREATE TABLE "seconds" ( "run_id" INTEGER, "second" INTEGER, "elapsed_s" REAL, "phase" TEXT,
        "mass_g" REAL, "sd_g" REAL, "temp_c" REAL, "cell_temp_c" REAL, "pressure_pa" REAL, "qualified"
        INTEGER, "hold_s" REAL, "loss_pct" REAL, "drift_g_per_h" REAL, "zero_code" REAL, "samples_ok"
        INTEGER, "samples_bad" INTEGER, "samples_spike" INTEGER, "bad_because" TEXT, PRIMARY KEY ("run_id",
        "second") )
    """,
    "events": """
        CREATE TABLE "events" ( "run_id" INTEGER, "event" INTEGER, "second" INTEGER, "elapsed_s" REAL,
        "wall_utc" TEXT, "kind" TEXT, "who" TEXT, "data_json" TEXT, "previous_sha256" TEXT, "sha256" TEXT,
        PRIMARY KEY ("run_id", "event") )
    """,
    "certificates": """
        CREATE TABLE "certificates" ( "sha256" TEXT PRIMARY KEY, "name" TEXT, "made_at" TEXT, "toml" TEXT )
    """,
}
