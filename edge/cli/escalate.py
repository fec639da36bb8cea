"""The command that tells of alarms that nobody acknowledges: ``escalate``.

This module must never touch the station, and never import what only this needs before it is asked to.
"""

from __future__ import annotations

from pathlib import Path

import click

from edge.errors import BadConfig

from .run import Misconfigured, stopped_by_signals
from .say import log_here, say


@click.command()
@click.option("--settings", "settings_file", type=click.Path(path_type=Path), help="[/etc/halfpercent/escalate.toml]")
@click.option("--state", "state_file", type=click.Path(path_type=Path), help="Where is kept who has been told.")
@click.option(
    "--try", "try_contact", metavar="NAME", help="Only tell this contact that it is tried, and say how it went."
)
def escalate(settings_file: Path | None, state_file: Path | None, try_contact: str | None) -> None:
    """Tell by webhook, ntfy or mail of alarms that nobody acknowledges, and of a silent station (docs/fleet.md)."""
    from edge.escalate.deliver import Letter, Undelivered, deliver
    from edge.escalate.escalation import Notice, What
    from edge.escalate.service import EscalationService
    from edge.escalate.settings import STATE, load_settings

    try:
        settings = load_settings(settings_file)
        contacts = {contact.name: contact for contact in settings.contacts}
        if try_contact is not None and try_contact not in contacts:
            raise BadConfig(f"{try_contact}: no such contact: name one of {', '.join(contacts)}")
    except BadConfig as e:
        raise Misconfigured(str(e)) from e
    if try_contact is not None:
        contact = contacts[try_contact]
        trial = Notice(
            alarm="trial", what=What.OPEN, why="nothing is wrong: this is tried", opened_utc=None, unacknowledged_s=0.0
        )
        letter = Letter(rig=settings.rig_name, contact=contact.name, level=contact.level, notices=(trial,))
        try:
            deliver(contact, letter)
        except Undelivered as e:
            raise click.ClickException(str(e)) from e
        say(f"{contact.name}: {contact.where} took it; whether it arrives, its reader says")
        return
    log_here()
    service = EscalationService(settings, state_file or STATE)
    with stopped_by_signals(service.stop):
        service.run()
