"""Sessions of the operator's page: kept on the server, known to the browser by a random token alone, ended by idleness and by age."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from smartgrid_assets.resources.accounts import Accounts, User

IDLE, ABSOLUTE = timedelta(hours=2), timedelta(hours=12)
SEEN_AGAIN = timedelta(minutes=1)
"""A visit within so long of the last is not written down: reading pages writes nothing."""
NOBODY = ""
"""Name of a session before log-in: it only carries the token of the log-in form."""


@dataclass(frozen=True)
class Session:
    """One browser. csrf: what each form that writes must send back."""

    token: str
    csrf: str
    user: User | None


def begin(accounts: Accounts, name: str, now: datetime, replaces: str = "") -> Session:
    """A new session with a token of its own; the one that it replaces ends (rotation at log-in)."""
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    with accounts.store() as con:
        con.execute("DELETE FROM sessions WHERE token = ? OR started_at < ? OR seen_at < ?",
                    [accounts.kept(replaces), (now - ABSOLUTE).isoformat(), (now - IDLE).isoformat()])  # fmt: skip
        con.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", [accounts.kept(token), name, csrf, now.isoformat(), now.isoformat()])
    return Session(token, csrf, accounts.user(name) if name else None)


def find(accounts: Accounts, token: str, now: datetime) -> Session | None:
    """The session of a token; None where it never was, is over, or its user is disabled."""
    kept = accounts.kept(token)
    with accounts.looking() as con:
        row = con.execute("SELECT * FROM sessions WHERE token = ?", [kept]).fetchone()
    if row is None:
        return None
    started, seen = (datetime.fromisoformat(row[name]) for name in ("started_at", "seen_at"))
    user = accounts.user(row["name"]) if row["name"] else None
    if now - started > ABSOLUTE or now - seen > IDLE or (row["name"] and (user is None or user.is_disabled)):
        end(accounts, token)
        return None
    if now - seen > SEEN_AGAIN:
        with accounts.store() as con:
            con.execute("UPDATE sessions SET seen_at = ? WHERE token = ?", [now.isoformat(), kept])
    return Session(token, row["csrf"], user)


def end(accounts: Accounts, token: str) -> None:
    """The session is over."""
    with accounts.store() as con:
        con.execute("DELETE FROM sessions WHERE token = ?", [accounts.kept(token)])
