"""An unpacked RO-Crate against the RO-Crate community's own validator, offline: the JSON-LD context is supplied here.

Run as a program by a Python that has ``roc-validator``: ``python roc_check.py FOLDER``. Prints what is not as it should
be, one line each, and how many checks were made. ``--offline`` of the validator itself ships no context.
"""

from __future__ import annotations

import json
import sys
from typing import Any

SCHEMA, CONTEXT = "http://schema.org/", "https://w3id.org/ro/crate/1.1/context"
NAMED_OTHERWISE = {"File": "MediaObject"}
TERMS = (
    *("CreativeWork", "Dataset", "File", "MediaObject", "Organization", "Person", "about", "author", "contentSize"),
    *("dateCreated", "dateModified", "datePublished", "description", "encodingFormat", "hasPart", "license", "name"),
    *("sdPublisher", "sha256", "text", "version"),
)
"""What a package's metadata says: the context maps each to the term of schema.org of that name, but for File."""


def context() -> dict[str, Any]:
    """Get the part of RO-Crate 1.1's context that packages use."""
    terms = {term: SCHEMA + NAMED_OTHERWISE.get(term, term) for term in TERMS}
    return {"@context": terms | {"conformsTo": "http://purl.org/dc/terms/conformsTo"}}


class Answer:
    """What the network would answer."""

    status_code, ok = 200, True

    def __init__(self, said: dict[str, Any]) -> None:
        self.text, self.content = json.dumps(said), json.dumps(said).encode()
        self.headers = {"Content-Type": "application/ld+json"}
        self.url, self.links, self.history = CONTEXT, {}, []

    def json(self) -> Any:
        """Get it read."""
        return json.loads(self.text)

    def raise_for_status(self) -> None:
        """Say that all is well."""


def get(_self: object, url: str, *_: object, **__: object) -> Answer:
    """Answer for the one address that is known here."""
    if url != CONTEXT:
        raise ConnectionError(f"{url}: no network is used here")
    return Answer(context())


def main() -> int:
    """Check the folder that is named."""
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    HttpRequester.get = HttpRequester.head = get
    settings = services.ValidationSettings(
        rocrate_uri=sys.argv[1],
        profile_identifier="ro-crate-1.1",
        requirement_severity=models.Severity.REQUIRED,
    )
    result = services.validate(settings)
    for issue in result.get_issues():
        print(f"{issue.check.identifier}: {issue.message}")
    counts = (len(found) for found in (result.executed_checks, result.failed_checks, result.skipped_checks))
    print("{} checks made, {} failed, {} skipped".format(*counts))
    return 0 if result.passed() and result.executed_checks else 1


if __name__ == "__main__":
    sys.exit(main())
