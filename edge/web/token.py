"""The token that lets somebody act on the page: made once, kept in a file of mode 0600, compared in constant time.

Looking needs none of it. This module must never show the token in a log or an error, and never say in which way a
wrong one was wrong.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from calibration.bounded_file import NotReadable, read_regular_file
from edge.errors import BadInput
from edge.records.durable_file import sync_folder

MOST_BYTES = 200
LEAST_CHARS = 20
NAME = "page-token"


SERVICE = Path("/var/lib/halfpercent-web")
"""Where the page keeps it that systemd starts."""


def token_file(given: Path | None, database: Path, *, of_service: bool) -> Path:
    """Get where the token is: what was given, else the service's own folder, else beside the database.

    ``of_service``: the database is the instrument's, and not one that a person named.
    """
    if given is not None:
        return given
    state = os.environ.get("STATE_DIRECTORY")
    if state:
        return Path(state.split(":")[0]) / NAME
    return SERVICE / NAME if of_service and SERVICE.exists() else database.with_name(NAME)


def make_token(file: Path) -> str:
    """Make a token and keep it, for its owner alone. Raises ``BadInput`` where there is one, ``OSError``."""
    token = secrets.token_urlsafe(24)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as e:
        raise BadInput(f"{file}: is there already: show it, or remove it to make another") from e
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(token + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(file.parent)
    return token


def read_token(file: Path) -> str:
    """Get the token that is kept. Raises ``BadInput``, one line, where there is none or others may read it."""
    try:
        mode = file.lstat().st_mode
        text = read_regular_file(file, MOST_BYTES).decode("ascii").strip()
    except FileNotFoundError as e:
        raise BadInput(f"{file}: there is no token, so nobody may act on the page: halfpercent key token") from e
    except (NotReadable, UnicodeDecodeError, OSError) as e:
        raise BadInput(f"{file}: the token cannot be read ({e}): sudo halfpercent key token shows who may") from e
    if stat.S_IMODE(mode) & 0o077:
        raise BadInput(f"{file}: others may read the token: chmod 600 it, or remove it and make another")
    if len(text) < LEAST_CHARS:
        raise BadInput(f"{file}: the token is shorter than {LEAST_CHARS} characters: remove it and make another")
    return text


def is_token(given: str, token: str) -> bool:
    """Say whether a token is the right one, in the same time whichever way it is wrong."""
    ours, theirs = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (token, given))
    return hmac.compare_digest(ours, theirs)
