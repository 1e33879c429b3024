"""Tokens by which programs read the API as a user: random, kept as a keyed digest, ended by their day, by withdrawal, or with their user."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources.accounts import Accounts, User, user_of_row

DAYS, MOST_DAYS = 90, 366


def make(accounts: Accounts, name: str, label: str, now: datetime, days: int = DAYS) -> str:
    """A token that counts for so many days; told once. Raises SettingsError where there is no such user, or the days are too many."""
    if accounts.user(name) is None:
        raise SettingsError(f"There is no user {name}; smartgrid user list shows them.")
    if not 1 <= days <= MOST_DAYS:
        raise SettingsError(f"A token counts for 1 to {MOST_DAYS} days.")
    token = "sg_" + secrets.token_urlsafe(32)
    with accounts.store() as con:
        con.execute("DELETE FROM tokens WHERE coalesce(until, '9') < ?", [now.isoformat()])
        con.execute(
            "INSERT INTO tokens (token, name, label, created_at, until) VALUES (?, ?, ?, ?, ?)",
            [accounts.kept(token), name, label, now.isoformat(), (now + timedelta(days=days)).isoformat()],
        )
    return token


def withdraw(accounts: Accounts, name: str) -> int:
    """All tokens of a user stop; how many there were."""
    with accounts.store() as con:
        return con.execute("DELETE FROM tokens WHERE name = ?", [name]).rowcount


def owner(accounts: Accounts, token: str, now: datetime) -> User | None:
    """The user of a token; None where it is none, its days are over, or the user is disabled.

    One that was made before tokens had a last day counts for MOST_DAYS from when it was made.
    """
    with accounts.looking() as con:
        row = con.execute(
            "SELECT u.*, t.created_at AS made_at, t.until FROM tokens t JOIN users u USING (name) WHERE t.token = ? AND NOT u.is_disabled",
            [accounts.kept(token)],
        ).fetchone()
    if row is None:
        return None
    until = datetime.fromisoformat(row["until"]) if row["until"] else datetime.fromisoformat(row["made_at"]) + timedelta(days=MOST_DAYS)
    return user_of_row(row) if now <= until else None
