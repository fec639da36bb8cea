"""The command ``web``: the page of a running test, in a browser.

This module must never touch a chip; where the page's packages are missing it says how to have them.
"""

from __future__ import annotations

import socket as sockets
from pathlib import Path

import click

from .options import database_to_read, db_option
from .say import say

_path = click.Path(path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option("--tls-certificate", type=_path, help="TLS: the certificate, PEM.")
@click.option("--tls-key", type=_path, help="TLS: its key, PEM.")
@click.option("--behind-proxy", is_flag=True, help="A proxy on this machine does TLS.")
@click.option("--socket", type=_path, envvar="HALFPERCENT_SOCKET", help="The service's control socket.")
@click.option("--token-file", type=_path, envvar="HALFPERCENT_TOKEN", help="The token that lets somebody act.")
@click.option("--make-token", is_flag=True, help="Make one where there is none.")
@click.option("--name", help="What the rig is called [its host name].")
@db_option
def web(
    host: str,
    port: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
    behind_proxy: bool,
    socket: Path | None,
    token_file: Path | None,
    make_token: bool,
    name: str | None,
    db: Path | None,
) -> None:
    """Show the running test in a browser: looking is free on this machine, acting takes the token."""
    try:
        from edge.web.app import WebSettings
        from edge.web.serve import Binding, serve
    except ImportError as e:
        raise click.ClickException("the page wants packages of its own: pip install 'halfpercent[web]'") from e
    from edge.control.protocol import SOCKET
    from edge.web.token import make_token as new_token
    from edge.web.token import read_token
    from edge.web.token import token_file as where_token

    database = database_to_read(db)
    tokens = where_token(token_file, database, of_service=db is None)
    if make_token and not tokens.exists():
        new_token(tokens)
    binding = Binding(host, port, tls_certificate, tls_key, behind_proxy)
    binding.require_safe()
    settings = WebSettings(
        database=database,
        socket=socket or SOCKET,
        token=lambda: read_token(tokens),
        rig=name or sockets.gethostname(),
        secure=tls_certificate is not None or behind_proxy,
    )
    say(f"Look at {binding.url}. To act, sign in with the token: halfpercent key token", err=True)
    serve(settings, binding)
