"""What a lab notebook reads of a package: an RO-Crate's metadata, as the ELN consortium's ``.eln`` wants it.

This module must never say more of a run than its row does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

METADATA = "ro-crate-metadata.json"
NOT_NAMED = "not named"
_MEDIA = {
    "json": "application/json",
    "sqlite": "application/vnd.sqlite3",
    "toml": "application/toml",
    "txt": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "pdf": "application/pdf",
}


@dataclass(frozen=True, slots=True)
class RunDescribed:
    """What the crate says of the run: its folder within it, its name, who ran it, when it ended, what it came to."""

    folder: str
    name: str
    operator: str
    ended_utc: str
    says: str


def metadata(run: RunDescribed, files: Mapping[str, bytes]) -> bytes:
    """Get the metadata of a crate whose ``files`` all lie in the run's folder, by their names within the crate."""
    folder = {"@id": f"./{run.folder}/"}
    described = [_file(name, data) for name, data in files.items()]
    parts = [{"@id": one["@id"]} for one in described]
    graph = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "dateCreated": run.ended_utc,
            "sdPublisher": {"@id": "#halfpercent"},
            "version": "1.0",
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": run.name,
            "description": run.says,
            "datePublished": run.ended_utc,
            "license": "For the one who measured to say.",
            "hasPart": [folder, *parts],
        },
        folder
        | {
            "@type": "Dataset",
            "name": run.name,
            "description": run.says,
            "text": run.says,
            "dateCreated": run.ended_utc,
            "dateModified": run.ended_utc,
            "author": {"@id": "#operator"},
            "hasPart": parts,
        },
        *described,
        {"@id": "#operator", "@type": "Person", "name": run.operator or NOT_NAMED},
        {"@id": "#halfpercent", "@type": "Organization", "name": "halfpercent"},
    ]
    crate = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return (json.dumps(crate, ensure_ascii=False, indent=1) + "\n").encode()


def described_in(raw: bytes) -> RunDescribed:
    """Get what a crate says of its run. Raises ``ValueError``, ``LookupError``, ``TypeError`` where it is no crate."""
    graph = json.loads(raw)["@graph"]
    root, folder, operator = graph[1], graph[2], graph[-2]
    return RunDescribed(
        folder=folder["@id"][2:-1],
        name=root["name"],
        operator="" if operator["name"] == NOT_NAMED else operator["name"],
        ended_utc=folder["dateCreated"],
        says=root["description"],
    )


def _file(name: str, data: bytes) -> dict[str, str]:
    return {
        "@id": f"./{name}",
        "@type": "File",
        "name": name.rpartition("/")[2],
        "encodingFormat": _MEDIA.get(name.rpartition(".")[2].lower(), "application/octet-stream"),
        "contentSize": str(len(data)),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
