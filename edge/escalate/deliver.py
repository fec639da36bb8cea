"""One message to one contact: an HTTP POST or a mail, within a bounded time, and what is answered is not believed.

Of an answer only its status is read. This module must never follow a redirection, and never let a secret or a server's
own words into what it says went wrong.
"""

from __future__ import annotations

import http.client
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http import HTTPStatus
from typing import Any

import msgspec

from calibration.toml_file import one_line
from edge import __version__
from edge.errors import BadConfig
from edge.records.secret_file import read_secret

from .escalation import Notice, What
from .settings import Contact, Level, Mail, Ntfy, Posted, Webhook

VERSION = 1
"""Of a webhook's message: higher whenever a field is taken away or means something else."""
STEP_S = 10.0
"""So long one step of a conversation may take."""
WHOLE_S = 30.0
"""So long all of it may take, however slowly a server speaks."""


class Undelivered(Exception):
    """A message that did not reach its contact: why is its text, without a secret."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What a contact is told: ``docs/schema/notice-1.json`` is made from it."""

    version: int = VERSION
    rig: str
    contact: str
    level: Level
    notices: tuple[Notice, ...]
    run_id: int | None = None
    phase: str | None = None


def deliver(contact: Webhook | Ntfy | Mail, letter: Letter) -> None:
    """Tell a contact. Raises ``Undelivered``; that it was taken says not that anybody read it."""
    where = "its address"
    try:
        where = contact.where
        if isinstance(contact, Mail):
            _mail(contact, letter)
        elif isinstance(contact, Ntfy):
            _post(contact, msgspec.json.encode(_ntfy(contact, letter)))
        else:
            _post(contact, msgspec.json.encode(letter))
    except (BadConfig, Undelivered) as e:
        raise Undelivered(one_line(str(e))) from e
    except smtplib.SMTPResponseException as e:
        raise Undelivered(f"{where}: the server answered {e.smtp_code}: {_step(e)}") from None
    except smtplib.SMTPRecipientsRefused as e:
        raise Undelivered(f"{where}: the server takes no mail for {', '.join(sorted(e.recipients))}") from None
    except (OSError, http.client.HTTPException, smtplib.SMTPException, ValueError) as e:
        raise Undelivered(one_line(f"{where}: {_why(e)}")) from None


def subject(letter: Letter) -> str:
    """Get the one line that says what it is about."""
    names = list(dict.fromkeys(notice.alarm for notice in letter.notices))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    over = all(notice.what is not What.OPEN for notice in letter.notices)
    return f"{letter.rig}: {'over: ' if over else 'ALARM '}{', '.join(names[:3])}{more}"


def text(letter: Letter) -> str:
    """Get what a person reads, a line a notice."""
    lines = [_line(notice) for notice in letter.notices]
    if letter.run_id is not None:
        lines.append(f"Run {letter.run_id}, {letter.phase or 'no phase'}.")
    if any(notice.what is What.OPEN for notice in letter.notices):
        lines.append("Who sees to it acknowledges at the rig, on its page or by: halfpercent ack")
    return "\n".join(lines)


def json_schema() -> dict[str, Any]:
    """Get the JSON Schema of a webhook's message, with its version."""
    return msgspec.json.schema(Letter) | {"version": VERSION}


def _line(notice: Notice) -> str:
    if notice.what is not What.OPEN:
        return f"{notice.alarm}: {notice.what}."
    since = f" since {notice.opened_utc}" if notice.opened_utc else ""
    minutes = notice.unacknowledged_s / 60.0
    waited = f", for {minutes:.0f} min not acknowledged" if minutes >= 1.0 else ""
    return f"{notice.alarm}{since}{waited}: {notice.why}"


def _ntfy(contact: Ntfy, letter: Letter) -> dict[str, Any]:
    """Get ntfy's own message. Source: ntfy.sh documentation, "Publish as JSON"; priorities 1 to 5, 3 is plain."""
    is_open = any(notice.what is What.OPEN for notice in letter.notices)
    priority = 3 if not is_open else 5 if letter.level is Level.ON_CALL else 4
    return {"topic": contact.topic, "title": subject(letter), "message": text(letter), "priority": priority}


def _post(contact: Posted, body: bytes) -> None:
    to = contact.address
    headers = {"Content-Type": "application/json", "User-Agent": f"halfpercent/{__version__}"}
    if contact.token_file is not None:
        headers["Authorization"] = f"Bearer {read_secret(contact.token_file)}"
    made: http.client.HTTPConnection
    if to.scheme == "https":
        made = http.client.HTTPSConnection(str(to.hostname), to.port, timeout=STEP_S, context=_context(contact))
    else:
        made = http.client.HTTPConnection(str(to.hostname), to.port, timeout=STEP_S)
    path = (to.path or "/") + (f"?{to.query}" if to.query else "")
    try:
        made.connect()
        with _bounded(lambda: made.sock):
            made.request("POST", path, body, headers)
            status = made.getresponse().status
    finally:
        made.close()
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise Undelivered(f"{contact.where}: answered {status} {_meaning(status)}".rstrip())


def _mail(contact: Mail, letter: Letter) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = contact.sender, ", ".join(contact.to), subject(letter)
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=contact.sender.rpartition("@")[2])
    mail.set_content(text(letter) + "\n")
    secret = None if contact.password_file is None else read_secret(contact.password_file)
    server = _smtp(contact)
    try:
        with _bounded(lambda: server.sock):
            if contact.tls == "starttls":
                server.starttls(context=_context(contact))
            if contact.user is not None and secret is not None:
                server.login(contact.user, secret)
            server.send_message(mail)
            with suppress(OSError, smtplib.SMTPException):
                server.quit()  # it has the mail, however it says goodbye
    finally:
        server.close()


def _smtp(contact: Mail) -> smtplib.SMTP:
    if contact.tls == "tls":
        return smtplib.SMTP_SSL(contact.host, contact.at_port, timeout=STEP_S, context=_context(contact))
    return smtplib.SMTP(contact.host, contact.at_port, timeout=STEP_S)


@contextmanager
def _bounded(connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """End a conversation that a server draws out, whatever it still says."""

    def end() -> None:
        found = connection()
        if found is not None:
            found.close() if found.fileno() < 0 else found.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(WHOLE_S, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _context(contact: Contact) -> ssl.SSLContext:
    """Get the TLS context: a server is checked against ``ca_file`` or the machine's own authorities."""
    try:
        return ssl.create_default_context(cafile=contact.ca_file)
    except (OSError, ssl.SSLError) as e:
        raise BadConfig(f"{contact.ca_file}: {_why(e)}: name a PEM file that can be read") from e


def _why(e: Exception) -> str:
    """Get what went wrong in our own or the system's words."""
    if isinstance(e, ssl.SSLCertVerificationError):
        return f"its certificate is not right: {e.verify_message}"
    if isinstance(e, TimeoutError):
        return f"no answer within {STEP_S:g} s"
    if isinstance(e, http.client.HTTPException | smtplib.SMTPException | ValueError):
        return f"what answers there speaks otherwise ({type(e).__name__})"
    return str(getattr(e, "strerror", None) or type(e).__name__)


def _meaning(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _step(e: smtplib.SMTPResponseException) -> str:
    steps: Sequence[tuple[type[Exception], str]] = (
        (smtplib.SMTPAuthenticationError, "user and password were not taken"),
        (smtplib.SMTPSenderRefused, "the sender was not taken"),
        (smtplib.SMTPDataError, "the mail was not taken"),
        (smtplib.SMTPConnectError, "it takes nobody"),
    )
    return next((said for kind, said in steps if isinstance(e, kind)), "it was not taken")
