"""The audit log: who saw a meter, who decided, who changed whom. Append-only; each line's digest holds the one before it.

A line that is changed, taken out or put in breaks the chain from there on; the key is not in the file. What the last lines said is only
safe while somebody keeps the newest digest elsewhere: it is printed by `smartgrid user audit`.
Source: Schneier & Kelsey 1999, secure audit logs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from smartgrid_assets.resources.accounts import Accounts

FIRST = "0" * 64


@dataclass(frozen=True)
class Line:
    """One thing that was done. about: what it was done to; of a meter its mark (`of_meter`), which erasing the meter makes nobody's."""

    n: int
    at: str
    who: str
    what: str
    about: str
    key: str
    digest: str


def note(accounts: Accounts, who: str, what: str, about: str, now: datetime) -> None:
    """Append a line."""
    with accounts.store() as con:
        last = con.execute("SELECT n, digest FROM audit ORDER BY n DESC LIMIT 1").fetchone()
        n, before = (last["n"] + 1, last["digest"]) if last else (1, FIRST)
        line = [n, now.isoformat(), who, what, about[:500], accounts.key_id]
        con.execute(
            "INSERT INTO audit (n, at, who, what, about, key, digest) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [*line, _digest(accounts, before, line)],
        )


def of_meter(accounts: Accounts, meter_id: str) -> str:
    """A meter as it stands in the log: a mark made by chance. Who knows the id, and has the key, finds it, until the meter is forgotten."""
    meter, fresh = accounts.kept(f"meter {meter_id}"), secrets.token_hex(8)
    with accounts.looking() as con:
        row = con.execute("SELECT mark FROM marks WHERE meter = ?", [meter]).fetchone()
    if row is None:
        with accounts.store() as con:
            con.execute("INSERT OR IGNORE INTO marks VALUES (?, ?)", [meter, fresh])
            row = con.execute("SELECT mark FROM marks WHERE meter = ?", [meter]).fetchone()
    return f"meter {row['mark']}"


def forget_meters(accounts: Accounts, meter_ids: Iterable[str]) -> None:
    """The lines stay, and follow from one another; of which meter they tell is known to nobody any more."""
    with accounts.store() as con:
        con.executemany("DELETE FROM marks WHERE meter = ?", [[accounts.kept(f"meter {one}")] for one in meter_ids])


def lines(accounts: Accounts, newest: int = 200, before: int | None = None) -> list[Line]:
    """The newest lines, newest first; those before a number."""
    with accounts.looking() as con:
        found = con.execute("SELECT * FROM audit WHERE n < ? ORDER BY n DESC LIMIT ?", [before or 2**62, newest]).fetchall()
    return [Line(**dict(row)) for row in found]


def broken_at(accounts: Accounts) -> int | None:
    """Number of the first line that does not follow from those before it; None where all do that were made under this key."""
    before, expected = FIRST, 1
    with accounts.looking() as con:
        for row in con.execute("SELECT * FROM audit ORDER BY n"):
            line = [row["n"], row["at"], row["who"], row["what"], row["about"], row["key"]]
            is_ours = row["key"] == accounts.key_id
            if row["n"] != expected or (is_ours and not hmac.compare_digest(row["digest"], _digest(accounts, before, line))):
                return int(expected)
            before, expected = row["digest"], expected + 1
    return None


def verdict(accounts: Accounts) -> tuple[bool, str]:
    """(whether it is whole, in words). Lines made under another key cannot be checked, which is said, with how many they are."""
    if broken := broken_at(accounts):
        return False, f"Line {broken} does not follow from those before it: the log was changed by hand."
    with accounts.looking() as con:
        (others,) = con.execute("SELECT count(*) FROM audit WHERE key <> ?", [accounts.key_id]).fetchone()
    if others:
        return (
            True,
            f"{others} line(s) were made under another SMARTGRID_WEB_SECRET and cannot be checked; every other line follows from the one before it.",
        )
    return True, "Every line follows from the one before it."


def _digest(accounts: Accounts, before: str, line: list[object]) -> str:
    return hmac.new(accounts.key, f"{before}{json.dumps(line)}".encode(), hashlib.sha256).hexdigest()
