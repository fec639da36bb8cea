"""The commands ``completion`` and ``man``: what a shell and a manual page need, made from the commands themselves.

This module must never say of a command what its own help does not.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator

import click

from edge import __version__

from .say import say_lines

NAME = "halfpercent"
HOW = {
    "bash": 'eval "$(halfpercent completion bash)"   # into ~/.bashrc',
    "zsh": 'eval "$(halfpercent completion zsh)"   # into ~/.zshrc',
    "fish": "halfpercent completion fish > ~/.config/fish/completions/halfpercent.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(HOW)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands and options: eval "$(halfpercent completion bash)"."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # the choice holds click's own
    say_lines(found(ctx.find_root().command, {}, NAME, "_HALFPERCENT_COMPLETE").source().rstrip())


@click.command("man")
@click.pass_context
def manual(ctx: click.Context) -> None:
    """Print the manual page, made from the help of all commands: halfpercent man | man -l -."""
    root = ctx.find_root()
    day = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), datetime.UTC)
    of = f"{day:%Y-%m-%d}" if day.year > 1970 else ""
    lines = [
        f'.TH HALFPERCENT 1 "{of}" "halfpercent {__version__}" "User Commands"',
        ".SH NAME",
        f"halfpercent \\- {_plain(_first_line(root.command))}",
        ".SH SYNOPSIS",
        ".B halfpercent",
        ".I COMMAND",
        "[OPTIONS] [ARGS]",
        ".SH DESCRIPTION",
        "What each command does; every one has \\-\\-help, most have \\-\\-json.",
        ".SH COMMANDS",
        *_of_group(root.command, root, ()),
        ".SH EXIT STATUS",
        "0: the command did its job, whatever the verdict; 1: it could not; 2: wrong use.",
        ".SH ENVIRONMENT",
        "HALFPERCENT_DB: the database. HALFPERCENT_SOCKET: the control socket. HALFPERCENT_CONFIG: the settings.",
    ]
    say_lines("\n".join(lines))


def _of_group(command: click.Command, ctx: click.Context, above: tuple[str, ...]) -> Iterator[str]:
    """Get the lines of a group's commands, those in an inner group after it."""
    assert isinstance(command, click.Group)
    for name in command.list_commands(ctx):
        inner = command.get_command(ctx, name)
        if inner is None or inner.hidden:
            continue
        context = click.Context(inner, ctx, info_name=name)
        usage = " ".join(inner.collect_usage_pieces(context))
        yield f".SS {_plain(' '.join((*above, name, usage)))}"
        yield _plain(_first_line(inner))
        for param in inner.params:
            if isinstance(param, click.Option) and not param.hidden:
                yield from (".TP", f".B {_plain(_names(param))}", _plain(param.help or ""))
        if isinstance(inner, click.Group):
            yield from _of_group(inner, context, (*above, name))


def _names(option: click.Option) -> str:
    kind = "" if option.is_flag else f" {option.metavar or option.type.name.upper()}"
    return ", ".join((*option.opts, *option.secondary_opts)) + kind


def _first_line(command: click.Command) -> str:
    return " ".join((command.help or "").split("\n\n")[0].split())


def _plain(text: str) -> str:
    """Get a text as troff shows it: no line of it is a request, a hyphen is one."""
    text = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
