"""Users whom an identity provider vouches for (OpenID Connect): known by issuer and subject, never by name; their role is the provider's word.

They have no password here. Who has lost every role there is out at once: sessions and tokens end.
Source: OpenID Connect Core 1.0, section 5.7 (only issuer and subject together name a person).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smartgrid_assets.resources.accounts import NAME, Accounts, Refused, Role, User, end_access, insert_user, user_of_row


@dataclass(frozen=True)
class Vouched:
    """What the provider says of a person. role: None where it gives none."""

    issuer: str
    subject: str
    name: str
    role: Role | None


def welcome(accounts: Accounts, said: Vouched, now: datetime) -> User:
    """The user of that person, made at the first log-in, with the role of now. Raises Refused with one sentence."""
    with accounts.store() as con:
        row = con.execute("SELECT * FROM users WHERE issuer = ? AND subject = ?", [said.issuer, said.subject]).fetchone()
        if row and said.role and not row["is_disabled"]:
            if row["role"] != said.role.word:
                con.execute("UPDATE users SET role = ? WHERE name = ?", [said.role.word, row["name"]])
                con.execute("DELETE FROM sessions WHERE name = ?", [row["name"]])
            return user_of_row(con.execute("SELECT * FROM users WHERE name = ?", [row["name"]]).fetchone())
        if row:
            end_access(con, row["name"])
        elif said.role:
            if not NAME.fullmatch(said.name):
                raise Refused(f"{said.name[:80]!r} is no name for a user here; SMARTGRID_OIDC_NAME_CLAIM names another claim.")
            if con.execute("SELECT 1 FROM users WHERE name = ?", [said.name]).fetchone():
                raise Refused(f"There is another user {said.name} here, and a name alone proves nothing; ask an admin.")
            insert_user(con, said.name, said.role, "", False, now, said.issuer, said.subject)
            return User(said.name, said.role, is_federated=True)
    # Outside the transaction, which a raise would undo.
    raise Refused(
        "You are disabled here; ask an admin." if said.role else "The identity provider gives you no role here; ask who gives them."
    )
