"""`smartgrid user`: who may see the operator's page."""

from __future__ import annotations

import sys
from typing import Any

import click

from smartgrid_assets.commands._accounts import noted

ROLES = ("viewer", "operator", "analyst", "admin")


@click.group("user")
def command() -> None:
    """Add users, change their role or password, end their access; tokens for programs; the audit log."""


def _accounts() -> Any:
    from smartgrid_assets.commands._accounts import accounts_of
    from smartgrid_assets.settings import settings

    return accounts_of(settings())


def _printable(text: str) -> str:
    """Without what a terminal would obey: a line stays a line."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def _password() -> str:
    """From the terminal, unseen; from a pipe one line, for scripts: never an argument, which others could read."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="What the user may see and do.")
def add(name: str, role: str) -> None:
    """Add user NAME; the password is asked for, or read from standard input."""
    from smartgrid_assets.resources.accounts import role_of
    from smartgrid_assets.resources.clock import now_utc

    _accounts().add(name, role_of(role), _password(), now_utc())
    noted(f"added a user as {role}", name)
    click.echo(f"{name} is {role}.", err=True)


@command.command("passwd")
@click.argument("name")
def passwd(name: str) -> None:
    """A new password for NAME; open sessions end."""
    _accounts().change_password(name, _password())
    noted("changed the password", name)


@command.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
def role(name: str, role: str) -> None:
    """Give NAME another role; open sessions end."""
    from smartgrid_assets.resources.accounts import role_of

    _accounts().change_role(name, role_of(role))
    noted(f"role {role}", name)


@command.command("disable")
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let the user in again.")
def disable(name: str, undo: bool) -> None:
    """Let NAME in no more: sessions end, tokens stop."""
    _accounts().disable(name, not undo)
    noted("enable" if undo else "disable", name)


@command.command("factor")
@click.argument("name")
def factor(name: str) -> None:
    """Take the second factor off NAME, whose device is lost; open sessions end. The user sets a new one on the page."""
    _accounts().drop_factor(name, ends_sessions=True)
    noted("removed the second factor", name)


@command.command("list")
def list_() -> None:
    """Users, their roles, second factors and states."""
    from smartgrid_assets.chain.case_files import aligned

    rows = [
        (
            one.name,
            one.role.word,
            "by the identity provider" if one.is_federated else "second factor" if one.has_totp else "",
            "disabled" if one.is_disabled else "",
        )
        for one in _accounts().users()
    ]
    click.echo(
        "\n".join(aligned([("name", "role", "", ""), *rows])) if rows else "There is no user yet: smartgrid user add NAME --role admin"
    )


@command.command("token")
@click.argument("name")
@click.option("--label", default="", help="What it is for.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it counts.")
@click.option("--withdraw", is_flag=True, help="Withdraw all tokens of the user instead.")
def token(name: str, label: str, days: int, withdraw: bool) -> None:
    """Print a token by which a program reads the API as NAME; it is shown once."""
    from smartgrid_assets.resources import tokens
    from smartgrid_assets.resources.clock import now_utc

    if withdraw:
        click.echo(f"{tokens.withdraw(_accounts(), name)} token(s) withdrawn.", err=True)
        noted("withdrew tokens", name)
        return
    click.echo(tokens.make(_accounts(), name, label, now_utc(), days))
    noted(f"made a token for {days} days", name)


@command.command("audit")
@click.option("--last", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Lines, the newest.")
def audit(last: int) -> None:
    """Print the audit log's newest lines and say whether every line follows from the one before it; exit 1 where one does not."""
    from smartgrid_assets.domain.errors import SettingsError
    from smartgrid_assets.resources.audit import lines, verdict

    accounts = _accounts()
    shown = lines(accounts, last)
    for line in reversed(shown):
        click.echo(_printable(f"{line.n}  {line.at[:19]}Z  {line.who}  {line.what}  {line.about}"))
    is_whole, said = verdict(accounts)
    if not is_whole:
        raise SettingsError(said)
    if shown:
        click.echo(f"{said} The newest digest is {shown[0].digest[:16]}.", err=True)
