"""A second opinion on a package of evidence: Python's standard library and ssh-keygen, and nothing of edge.

Written from docs/evidence.md. It unpacks with zipfile, follows the chain, holds it against the manifest, the manifest
against its signature and the log, and folds the raw codes again (independent_fold.py). That the rig signed the log's
head is the one thing that it does not check: ssh-keygen cannot. Run it:

    python independent_checker.py FILE.eln SIGNERS
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path

import independent_fold

HEADER = (
    "run_id, run_uid, sample_id, operator, kind, started_utc, standard_id, standard_toml, certificate_sha256, "
    "settings_json, software_version, t0_ns"
)
CHUNK = "link, chunk, boot_id, first_second, seconds, samples, wall_ms, raw"
EVENT = "link, event, second, elapsed_s, wall_utc, kind, who, data_json"
NUMBERS = (
    "loss_pct, standard_uncertainty_pct, expanded_uncertainty_pct, coverage_factor_k, conformance_probability, "
    "limit_pct, m1_g, m2_g, hold_s, true_loss_pct"
)


class Wrong(Exception):
    """What does not hold."""


def must(holds, what):
    if not holds:
        raise Wrong(what)


def value_bytes(values):
    out = b""
    for v in values:
        if v is None:
            out += b"n"
        elif isinstance(v, float):
            out += b"r" + struct.pack(">d", v + 0.0)
        elif isinstance(v, int):
            out += b"i" + v.to_bytes(8, "big", signed=True)
        else:
            raw = v.encode() if isinstance(v, str) else v
            out += (b"t" if isinstance(v, str) else b"b") + len(raw).to_bytes(8, "big") + raw
    return out


def sha(*values):
    return hashlib.sha256(value_bytes(values)).digest()


def unpacked(path):
    """The files of the run's folder, each held against SHA256SUMS."""
    with zipfile.ZipFile(path) as z:
        names = [n for n in z.namelist() if n.count("/") > 1]
        files = {n.split("/", 2)[2]: z.read(n) for n in names}
    sums = dict(reversed(line.split("  ", 1)) for line in files.pop("SHA256SUMS").decode().splitlines())
    must(sums.keys() == files.keys(), "SHA256SUMS does not name the files that are there")
    for name, data in files.items():
        must(hashlib.sha256(data).hexdigest() == sums[name], f"{name}: another sum")
    return files


def followed(db):
    """The chain of the one run: first and last hash, the number of links, the events."""
    must(db.execute("select count(*) from runs").fetchone() == (1,), "not one run")
    header = db.execute(f"select {HEADER} from runs").fetchone()
    first = head = sha("run", *header)
    must(db.execute("select header_sha256 from runs").fetchone()[0] == head, "runs: the header")
    chunks = db.execute(f"select {CHUNK}, sha256 from chunks join boots using (boot)").fetchall()
    events = db.execute(f"select {EVENT}, previous_sha256, sha256 from events").fetchall()
    rows = sorted([("chunk", r) for r in chunks] + [("event", r) for r in events], key=lambda r: r[1][0])
    for number, (what, row) in enumerate(rows, start=1):
        must(row[0] == number, f"link {number} is missing")
        following = sha(what, head, *row[:8])
        stored = row[8] if what == "chunk" else bytes.fromhex(row[9])
        must(stored == following, f"{what} {row[1]}: does not follow")
        must(what == "chunk" or row[8] == head.hex(), f"event {row[1]}: does not follow")
        head = following
    return first.hex(), head.hex(), len(rows) + 1, [dict(zip(EVENT.split(", "), e, strict=False)) for e in events]


def held_against_manifest(files, db, first, last, links, events):
    manifest = json.loads(files["manifest.json"])
    written = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()
    must(written == files["manifest.json"], "manifest.json: is not canonical")
    chain = manifest["chain"]
    must(
        (chain["first_sha256"], chain["last_sha256"], chain["links"]) == (first, last, links),
        "another chain was sealed",
    )
    said = dict(zip(NUMBERS.split(", "), db.execute(f"select {NUMBERS} from runs").fetchone(), strict=True))
    must(
        {n: None if v is None else repr(float(v)) for n, v in said.items()} == manifest["result"]["numbers"], "numbers"
    )
    row = "select verdict, result_json, settings_json, standard_toml, certificate_sha256, sample_id, operator from runs"
    verdict, result, settings, standard, certificate, sample, operator = db.execute(row).fetchone()
    ended = [json.loads(e["data_json"]) for e in events if e["kind"] == "ended"][-1]
    for amended in (json.loads(e["data_json"]) for e in events if e["kind"] == "amended"):
        must(amended["was_sha256"] == ended["result_sha256"], "it amends another result")
        must(hashlib.sha256(amended["was_json"].encode()).hexdigest() == amended["was_sha256"], "another old result")
        ended |= {"result_sha256": amended["result_sha256"]}
    hashed = hashlib.sha256(result.encode()).hexdigest()
    must(hashed == ended["result_sha256"] == manifest["result"]["sha256"], "another result")
    must(verdict == json.loads(result)["verdict"] == manifest["result"]["verdict"], "another verdict")
    must(hashlib.sha256(settings.encode()).hexdigest() == manifest["settings_sha256"], "other settings")
    must(files["standard.toml"] == standard.encode(), "standard.toml: another")
    must(hashlib.sha256(standard.encode()).hexdigest() == manifest["standard"]["sha256"], "another standard")
    must([c["sha256"] for c in manifest["certificates"]] == [certificate], "another certificate")
    must(
        (manifest["run"]["sample_id"], manifest["run"]["operator"]) == (sample, operator), "another sample or operator"
    )
    return ended


def signed_by(files, signers, folder):
    """Whose seal it is, as ssh-keygen says."""
    signature = folder / "manifest.json.sig"
    signature.write_bytes(files[signature.name])
    given = {"input": files["manifest.json"], "capture_output": True, "check": False}
    found = subprocess.run(["ssh-keygen", "-Y", "find-principals", "-s", signature, "-f", signers], **given)
    must(found.returncode == 0, "nobody who is known signed it")
    name = found.stdout.decode().split()[0]
    verify = ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", name, "-n", "evidence@halfpercent", "-s", signature]
    must(subprocess.run(verify, **given).returncode == 0, "manifest.json.sig: is not over manifest.json")
    return name


def logged(files):
    """RFC 6962: is the manifest a leaf of the log, as of the checkpoint."""
    head, _, note = files["log/proof.tlog-proof"].decode().partition("\n\n")
    must(head.startswith("c2sp.org/tlog-proof@v1\nindex "), "log/proof.tlog-proof: is none")
    at = int(head.split("\n")[1].removeprefix("index "))
    _, size, root = note.split("\n")[:3]
    last, found = int(size) - 1, hashlib.sha256(b"\0" + files["manifest.json"]).digest()
    must(0 <= at <= last, "log/proof.tlog-proof: no such leaf")
    for other in map(base64.b64decode, head.split("\n")[2:]):
        if at & 1 or at == last:
            found = hashlib.sha256(b"\1" + other + found).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + other).digest()
        at, last = at >> 1, last >> 1
    must(last == 0 and found == base64.b64decode(root), "log/proof.tlog-proof: the seal is not in the log")


def check(path, signers, seconds=None):
    """Check a package; of the raw codes fold ``seconds`` again (None: all). The name of the signer. Raises Wrong."""
    try:
        files = unpacked(path)
        with tempfile.TemporaryDirectory() as folder:
            name = signed_by(files, signers, Path(folder))
            database = Path(folder) / "run.sqlite"
            database.write_bytes(files["run.sqlite"])
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
                first, last, links, events = followed(db)
                ended = held_against_manifest(files, db, first, last, links, events)
                rows = independent_fold.seconds(db, events, seconds)
        logged(files)
    except (zipfile.BadZipFile, sqlite3.Error, LookupError, ValueError, TypeError, OSError) as e:
        raise Wrong(f"{type(e).__name__}: {e}") from e
    if seconds is None:
        found = hashlib.sha256(b"".join(map(value_bytes, rows))).hexdigest()
        must((len(rows), found) == (ended["seconds"], ended["seconds_sha256"]), "the codes fold to other seconds")
    return name


if __name__ == "__main__":
    try:
        print(f"holds, and was sealed by {check(sys.argv[1], sys.argv[2])}")
    except Wrong as wrong:
        sys.exit(f"does not hold: {wrong}")
