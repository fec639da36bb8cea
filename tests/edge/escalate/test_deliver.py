"""One message to one contact: what it holds, and every way in which a server fails, one line without a secret."""

from __future__ import annotations

import json
import shutil
import socket
from contextlib import closing
from pathlib import Path

import pytest
from small_listener import SmallListener, certificate

from edge.errors import BadConfig
from edge.escalate import deliver as delivery
from edge.escalate.deliver import Letter, Undelivered, deliver
from edge.escalate.escalation import Notice, What
from edge.escalate.settings import EscalateSettings, Level, loads_settings

OPEN = Notice(
    alarm="oven probe", what=What.OPEN, why="OPEN: 温度", opened_utc="2026-11-26T01:00:00Z", unacknowledged_s=905.0
)
LETTER = Letter(rig="lab-3", contact="night", level=Level.ON_CALL, notices=(OPEN,), run_id=7, phase="hold")


def only(text: str) -> object:
    return loads_settings(text).contacts[0]


def secret(folder: Path, text: str = "hunter2") -> Path:
    path = folder / "secret"
    path.write_text(f"{text}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_webhook_gets_the_letter_as_json_with_its_token(tmp_path: Path) -> None:
    with SmallListener() as server:
        url = f"http://127.0.0.1:{server.port}/in?of=x"
        deliver(only(f'[[webhook]]\nname = "n"\nurl = "{url}"\ntoken_file = "{secret(tmp_path)}"'), LETTER)
    told = json.loads(server.bodies[0])
    assert (told["version"], told["rig"], told["level"], told["run_id"]) == (1, "lab-3", "on call", 7)
    assert told["notices"][0]["what"] == "open"
    assert server.heads[0].startswith("POST /in?of=x HTTP/1.1\r\n")
    assert "Authorization: Bearer hunter2\r\n" in server.heads[0]


def test_ntfy_gets_what_its_documentation_asks_for() -> None:
    with SmallListener() as server:
        deliver(only(f'[[ntfy]]\nname = "n"\nurl = "http://127.0.0.1:{server.port}"\ntopic = "t1"'), LETTER)
    told = json.loads(server.bodies[0])
    assert (told["topic"], told["title"], told["priority"]) == ("t1", "lab-3: ALARM oven probe", 5)
    assert "for 15 min not acknowledged: OPEN: 温度" in told["message"]
    assert server.heads[0].startswith("POST / HTTP/1.1\r\n")


def mail(port: int, more: str = "") -> object:
    return only(
        f'[[mail]]\nname = "n"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nsender = "rig@lab.example"\n'
        f'to = ["ada@lab.example"]\n{more}'
    )


def test_a_mail_says_it_in_its_subject(tmp_path: Path) -> None:
    with SmallListener("smtp") as server:
        deliver(mail(server.port, f'user = "u"\npassword_file = "{secret(tmp_path)}"'), LETTER)
    assert b"Subject: lab-3: ALARM oven probe" in server.bodies[0]
    assert "mail FROM:<rig@lab.example>" in " ".join(server.heads)
    assert any(line.startswith("AUTH PLAIN") for line in server.heads)


def test_a_server_that_fails_is_one_line_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "STEP_S", 0.3)
    monkeypatch.setattr(delivery, "WHOLE_S", 0.4)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        nobody = free.getsockname()[1]
    named = secret(tmp_path)

    def said(server: SmallListener | None, text: str) -> str:
        with pytest.raises(Undelivered) as e:
            deliver(only(text.format(port=server.port if server else nobody)), LETTER)
        return str(e.value)

    hook = '[[webhook]]\nname = "n"\nurl = "http://127.0.0.1:{port}/hunter2"\n' + f'token_file = "{named}"'
    with SmallListener(answers=False) as silent, SmallListener(status=302) as moved, SmallListener(drips=True) as slow:
        lines = [said(None, hook), said(silent, hook), said(moved, hook), said(slow, hook)]
    assert [line.removeprefix("127.0.0.1: ") for line in lines] == [
        "Connection refused",
        "no answer within 0.3 s",
        "answered 302 Found",
        lines[3].removeprefix("127.0.0.1: "),
    ]
    lines.append(said(None, hook.replace("127.0.0.1:{port}", "localhost:1")))
    with SmallListener("smtp", status=535) as refusing, pytest.raises(Undelivered) as e:
        deliver(mail(refusing.port, f'user = "u"\npassword_file = "{named}"'), LETTER)
    lines.append(str(e.value))
    assert lines[-1].endswith("answered 535: user and password were not taken")
    assert not any("hunter2" in line or "\n" in line for line in lines)


def test_a_host_that_is_not_there_and_a_certificate_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    of_another = certificate(tmp_path, "another.example")
    with SmallListener(certificate=of_another) as server:
        url = f"https://localhost:{server.port}/"
        for more, says in (("", "self-signed certificate"), (f'ca_file = "{of_another}"', "not valid for 'localhost'")):
            with pytest.raises(Undelivered, match="its certificate is not right") as e:
                deliver(only(f'[[webhook]]\nname = "n"\nurl = "{url}"\n{more}'), LETTER)
            assert says in str(e.value)
    assert server.bodies == []
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Undelivered, match=r"no\.such\.example: Name or service not known"):
        deliver(only('[[webhook]]\nname = "n"\nurl = "https://no.such.example/"'), LETTER)


def test_a_secret_is_a_credential_or_a_file_of_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SmallListener() as server:
        hook = f'[[webhook]]\nname = "n"\nurl = "http://localhost:{server.port}/"\ntoken_file = '
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret(tmp_path).parent))
        deliver(only(f'{hook}"secret"'), LETTER)
        assert "Bearer hunter2" in server.heads[0]
        secret(tmp_path).chmod(0o640)
        with pytest.raises(Undelivered, match=r"others than its owner can read this secret: chmod 600"):
            deliver(only(f'{hook}"{tmp_path}/secret"'), LETTER)
        monkeypatch.delenv("CREDENTIALS_DIRECTORY")
        with pytest.raises(Undelivered, match="is a credential of systemd's"):
            deliver(only(f'{hook}"secret"'), LETTER)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "name 1 to 8 contacts"),
        ('[[webhook]]\nname = "n"', "give url, or url_file"),
        ('[[webhook]]\nname = "n"\nurl = "http://x.example/s3cret"', "http would send it in the clear"),
        ('[[webhook]]\nname = "n"\nurl = "ftp://x.example/s3cret"', "no address that can be posted to"),
        ('[[webhook]]\nname = "n"\nurl = "https://x.example"\nalarms = ["gapp"]', "'gapp' is none: use"),
        ('[[ntfy]]\nname = "n"\nurl = "https://x.example"\ntopic = "a b"', "ntfy[0].topic = 'a b'"),
        ('[[mail]]\nname = "n"\nhost = "m"\nsender = "a"\nto = ["b@c"]', "mail[0].sender = 'a': give a mail address"),
        ('[[mail]]\nname = "n"\nhost = "m"\nsender = "a@b"\nto = ["b@c"]\ntls = "none"', "in the clear"),
    ],
)
def test_a_mistake_is_one_line(text: str, says: str) -> None:
    with pytest.raises(BadConfig) as e:
        loads_settings(text)
    assert says in str(e.value)
    assert "s3cret" not in str(e.value)


def test_settings_are_what_the_documentation_shows() -> None:
    text = (Path(__file__).parents[3] / "docs/fleet.md").read_text(encoding="utf-8")
    shown = text.split("```toml\n# escalate.toml", 1)[1].split("```", 1)[0]
    assert isinstance(loads_settings(shown), EscalateSettings)
    assert [contact.level for contact in loads_settings(shown).contacts] == [
        Level.ON_CALL,
        Level.OPERATOR,
        Level.ON_CALL,
    ]
