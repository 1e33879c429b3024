"""Who may see what: users, their roles and passwords, in one SQLite file under SMARTGRID_HOME that only its owner can read.

Passwords are kept as argon2id (the library's own parameters); a login that fails takes as long for a name that is not there. Five
failures of a name, or twenty of an address, within a quarter of an hour lock it for as long, whether the name is there or not.
Source: OWASP Authentication and Password Storage Cheat Sheets; RFC 9106; RFC 6238 (second factor).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cached_property
from pathlib import Path

from smartgrid_assets.domain.errors import LakeWriteError, SettingsError, SmartGridError

LEAST_PASSWORD = 12
MOST_PASSWORD = 1024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
LOCKED_FOR = timedelta(minutes=15)
FAILURES_OF_NAME, FAILURES_OF_ADDRESS = 5, 20
LEAST_SECRET = 32
HASHES_AT_ONCE, WAIT_FOR_HASH_S = 2, 3.0
SET_UP_FOR = timedelta(hours=1)

_TABLES = """
CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY COLLATE NOCASE, role TEXT NOT NULL, password TEXT NOT NULL, is_disabled INTEGER NOT NULL DEFAULT 0,
    totp TEXT NOT NULL DEFAULT '', totp_step INTEGER NOT NULL DEFAULT 0,
    must_change INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS failures (who TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS failures_who ON failures (who, at);
CREATE TABLE IF NOT EXISTS set_up (token TEXT PRIMARY KEY, until TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
    token TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, csrf TEXT NOT NULL, started_at TEXT NOT NULL, seen_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, label TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS audit (
    n INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL, key TEXT NOT NULL,
    digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS marks (meter TEXT PRIMARY KEY, mark TEXT NOT NULL);
"""


_LATER = (("users", "must_change", "INTEGER NOT NULL DEFAULT 0"), ("audit", "key", "TEXT NOT NULL DEFAULT ''"),
          ("users", "issuer", "TEXT NOT NULL DEFAULT ''"), ("users", "subject", "TEXT NOT NULL DEFAULT ''"), ("tokens", "until", "TEXT"))  # fmt: skip
"""Columns that the first files did not have."""


class Role(IntEnum):
    """Each may what the ones before it may."""

    VIEWER = 1
    OPERATOR = 2
    ANALYST = 3
    ADMIN = 4

    @property
    def word(self) -> str:
        """As it is written: viewer, operator, analyst, admin."""
        return self.name.lower()


def role_of(word: str) -> Role:
    """The role of that name; SettingsError where there is none."""
    try:
        return Role[word.upper()]
    except KeyError:
        raise SettingsError(f"{word!r} is no role; there are viewer, operator, analyst and admin.") from None


@dataclass(frozen=True)
class User:
    """One who may log in."""

    name: str
    role: Role
    is_disabled: bool = False
    has_totp: bool = False
    must_change: bool = False
    """The password is one that somebody else knows: nothing but a new one is taken."""
    is_federated: bool = False
    """An identity provider logs the user in and gives the role; there is no password here."""


class Refused(SettingsError):
    """A login that is refused, with the one sentence that is told."""


class Locked(Refused):
    """One more attempt while a name or an address is locked: nothing was looked at, and nothing is written down."""


class Busy(SmartGridError):
    """More log-ins at once than are looked at; try again."""


@dataclass(frozen=True)
class Accounts:
    """The file of users. key: secret by which tokens are kept and the audit log is chained; made and kept beside the file where none is set.

    No method takes the clock: `now` is naive UTC.
    """

    folder: Path
    secret: str = ""

    @contextmanager
    def store(self) -> Iterator[sqlite3.Connection]:
        """A connection inside one transaction that writes."""
        con = self._connect()
        try:
            con.execute("BEGIN IMMEDIATE")
            yield con
            con.execute("COMMIT")
        except BaseException:
            if con.in_transaction:
                con.execute("ROLLBACK")
            raise
        finally:
            con.close()

    @contextmanager
    def looking(self) -> Iterator[sqlite3.Connection]:
        """A connection that only reads."""
        con = self._connect()
        try:
            yield con
        finally:
            con.close()

    def _connect(self) -> sqlite3.Connection:
        _ = self._is_made
        con = sqlite3.connect(self.folder / "accounts.sqlite", timeout=10, isolation_level=None)
        con.row_factory = sqlite3.Row
        return con

    @cached_property
    def _is_made(self) -> bool:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self.folder / "accounts.sqlite"
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            con = sqlite3.connect(file, timeout=10, isolation_level=None)
            try:
                con.execute("PRAGMA journal_mode = WAL")
                con.executescript(_TABLES)
                for of, column, declared in _LATER:
                    if column not in {row[1] for row in con.execute(f"PRAGMA table_info({of})")}:
                        con.execute(f"ALTER TABLE {of} ADD COLUMN {column} {declared}")
                con.execute("CREATE UNIQUE INDEX IF NOT EXISTS users_vouched ON users (issuer, subject) WHERE subject <> ''")
            finally:
                con.close()
        except (OSError, sqlite3.OperationalError) as error:
            raise LakeWriteError(f"{self.folder}: cannot keep users here ({error}). Set SMARTGRID_HOME to a writable folder.") from None
        return True

    @cached_property
    def key(self) -> bytes:
        """The secret; of loopback alone one that was made on the first start, readable by its owner only."""
        if self.secret:
            return self.secret.encode()
        file = self.folder / "secret"
        _ = self._is_made
        if not file.exists():
            _write_secret(file)
        found = file.read_text().encode()
        if len(found) < LEAST_SECRET:
            raise LakeWriteError(f"{file}: this secret is cut short. Restore it; or remove it, which ends all sessions and tokens.")
        return found

    @cached_property
    def key_id(self) -> str:
        """Which key this is, without telling it."""
        return self.kept("which key is this?")[:12]

    def kept(self, token: str) -> str:
        """A token as it is kept: whoever reads the file cannot use it."""
        return hmac.new(self.key, token.encode(), hashlib.sha256).hexdigest()

    # ---- users ------------------------------------------------------------------------------------------------

    def users(self) -> list[User]:
        """All users, by name."""
        with self.looking() as con:
            return [user_of_row(row) for row in con.execute("SELECT * FROM users ORDER BY name").fetchall()]

    def user(self, name: str) -> User | None:
        """The user of that name, in any case of letters."""
        with self.looking() as con:
            row = con.execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()
        return user_of_row(row) if row else None

    def add(self, name: str, role: Role, password: str, now: datetime, must_change: bool = False) -> User:
        """A new user. Raises SettingsError for a name that is taken or unfit, or a password that is too weak."""
        if not NAME.fullmatch(name):
            raise SettingsError(_no_name(name))
        hashed = self._hashed(name, password)
        with self.store() as con:
            if con.execute("SELECT 1 FROM users WHERE name = ?", [name]).fetchone():
                raise SettingsError(f"There is a user {name} already; smartgrid user passwd or role changes one.")
            insert_user(con, name, role, hashed, must_change, now)
        return User(name, role, must_change=must_change)

    def add_with_password(self, name: str, role: Role, now: datetime) -> str:
        """A new user with a password of chance, which the user must change; the password."""
        while name.lower() in (password := secrets.token_urlsafe(15)).lower():
            pass  # a short name may stand in a password by chance
        self.add(name, role, password, now, must_change=True)
        return password

    def change_password(self, name: str, password: str) -> None:
        """A new password; every session and token of the user ends."""
        hashed = self._hashed(name, password)
        with self.store() as con:
            _keep_to_provider(con, name)
            _change(con, name, "password = ?, must_change = 0", hashed)
            end_access(con, name)

    def change_role(self, name: str, role: Role) -> None:
        """Another role; every session of the user ends. The last admin stays one."""
        with self.store() as con:
            _keep_to_provider(con, name)
            _change(con, name, "role = ?", role.word)
            _keep_an_admin(con, name)
            con.execute("DELETE FROM sessions WHERE name = ?", [name])

    def disable(self, name: str, is_disabled: bool = True) -> None:
        """Log-in is refused from now on, sessions end, tokens stop; or the opposite. The last admin stays."""
        with self.store() as con:
            _change(con, name, "is_disabled = ?", int(is_disabled))
            _keep_an_admin(con, name)
            con.execute("DELETE FROM sessions WHERE name = ?", [name])

    def enrol(self, name: str, secret: str, code: str, now: datetime) -> None:
        """A second factor from now on (a base32 secret), once a code of it was right; that code counts no more. Raises SettingsError."""
        step = matching_step(secret, code, now) if len(secret) == 32 and secret.isascii() and secret.isalnum() else None
        if step is None:
            raise SettingsError("That code does not fit the new secret; is the clock of the device right?")
        with self.store() as con:
            _keep_to_provider(con, name)
            _change(con, name, "totp = ?, totp_step = ?", secret, step)

    def drop_factor(self, name: str, ends_sessions: bool = False) -> None:
        """No second factor from now on."""
        with self.store() as con:
            _change(con, name, "totp = ''")
            if ends_sessions:
                con.execute("DELETE FROM sessions WHERE name = ?", [name])

    def _hashed(self, name: str, password: str) -> str:
        if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
            raise SettingsError(f"A password has {LEAST_PASSWORD} to {MOST_PASSWORD} characters.")
        if name.lower() in password.lower() or len(set(password)) < LEAST_PASSWORD // 2:
            raise SettingsError("That password is too easy to guess: it holds the user's name, or hardly two letters.")
        with _hashing():
            return str(_hasher().hash(password))

    # ---- logging in -------------------------------------------------------------------------------------------

    def log_in(self, name: str, password: str, code: str, address: str, now: datetime) -> User:
        """The user, when name, password and (where there is one) second factor are right; raises Refused with one sentence for whatever is wrong.

        An attempt counts as a failure from its beginning, until it turns out right: many at once are no more than one after the other.
        """
        name = name[:64]
        with self.looking() as con:
            row = con.execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()
        attempt = self.attempt(now, address, name)
        try:
            with _hashing():
                # A name that is not there costs the same as one that is: else its absence could be measured.
                right = self._is_right((row and row["password"]) or _nobody(), password[:MOST_PASSWORD])
        except Busy:
            self.forget(attempt)
            raise
        if not (row and right and not row["is_disabled"] and self._is_second_factor(row, code, now)):
            raise Refused("Name, password or code is wrong.")
        with self.store() as con:
            con.execute("DELETE FROM failures WHERE rowid IN (?, ?) OR who = ?", [*attempt, f"name {name.lower()}"])
        return user_of_row(row)

    def attempt(self, now: datetime, address: str, name: str | None = None) -> list[int]:
        """Write down a failure of an address (and a name), before it is known to be one; what `forget` takes. Raises Locked."""
        since = (now - LOCKED_FOR).isoformat()
        counted = [(f"from {_network(address)}", FAILURES_OF_ADDRESS)]
        if name is not None:
            counted.insert(0, (f"name {name.lower()}", FAILURES_OF_NAME))
        with self.store() as con:
            con.execute("DELETE FROM failures WHERE at < ?", [since])
            for who, most in counted:
                if con.execute("SELECT count(*) FROM failures WHERE who = ?", [who]).fetchone()[0] >= most:
                    raise Locked(f"Too many attempts. Try again in {LOCKED_FOR.seconds // 60} minutes.")
            written = [con.execute("INSERT INTO failures VALUES (?, ?)", [who, now.isoformat()]).lastrowid for who, _ in counted]
        return [row for row in written if row is not None]

    def forget(self, attempt: list[int]) -> None:
        """It was none."""
        with self.store() as con:
            con.executemany("DELETE FROM failures WHERE rowid = ?", [[row] for row in attempt])

    @staticmethod
    def _is_right(hashed: str, password: str) -> bool:
        from argon2.exceptions import VerificationError

        try:
            return bool(_hasher().verify(hashed, password))
        except VerificationError:
            return False

    def _is_second_factor(self, row: sqlite3.Row, code: str, now: datetime) -> bool:
        """A code counts once, and within half a minute of its time."""
        if not row["totp"]:
            return True
        step = matching_step(row["totp"], code, now)
        if step is None:
            return False
        with self.store() as con:
            return con.execute("UPDATE users SET totp_step = ? WHERE name = ? AND totp_step < ?", [step, row["name"], step]).rowcount == 1

    # ---- the first one ----------------------------------------------------------------------------------------

    def begin_set_up(self, now: datetime) -> str | None:
        """While there is no user: a token by which the first admin is made, once, within an hour. None where there is one."""
        if self.users():
            return None
        token = secrets.token_urlsafe(32)
        with self.store() as con:
            con.execute("DELETE FROM set_up")
            con.execute("INSERT INTO set_up VALUES (?, ?)", [self.kept(token), (now + SET_UP_FOR).isoformat()])
        return token

    def may_set_up(self, token: str, now: datetime) -> bool:
        """True while the token counts."""
        with self.looking() as con:
            found = con.execute("SELECT 1 FROM set_up WHERE token = ? AND until >= ?", [self.kept(token), now.isoformat()]).fetchone()
        return bool(found) and not self.users()

    def set_up(self, token: str, name: str, password: str, now: datetime) -> User:
        """The first admin; the token counts no more."""
        used = Refused("This link was used or is too old; smartgrid serve prints a new one when it starts.")
        if not self.may_set_up(token, now):
            raise used
        if not NAME.fullmatch(name):
            raise SettingsError(_no_name(name))
        hashed = self._hashed(name, password)
        with self.store() as con:
            if not con.execute("DELETE FROM set_up WHERE token = ? AND until >= ?", [self.kept(token), now.isoformat()]).rowcount:
                raise used
            if con.execute("SELECT 1 FROM users").fetchone():
                raise used
            insert_user(con, name, Role.ADMIN, hashed, False, now)
        return User(name, Role.ADMIN)


def is_same(one: str, other: str) -> bool:
    """Compared in a time that tells nothing of where they differ; of any text."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The half minute whose code it is, of now and its two neighbours; None where it is none of them. Source: RFC 6238."""
    import pyotp

    step = int((now - datetime(1970, 1, 1)).total_seconds() // 30)
    factor = pyotp.TOTP(secret)
    return next((tried for tried in (step - 1, step, step + 1) if is_same(factor.generate_otp(tried), code.strip())), None)


def _network(address: str) -> str:
    """An address as it counts for the lock: of IPv6 the /64, which is what one customer is given."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)


def _no_name(name: str) -> str:
    return f"{name!r} is no name for a user: letters, digits and . _ @ -, at most 64."


def insert_user(
    con: sqlite3.Connection, name: str, role: Role, hashed: str, must_change: bool, now: datetime, issuer: str = "", subject: str = ""
) -> None:
    """A row of users. issuer, subject: of one whom an identity provider vouches for, whose `hashed` is empty."""
    con.execute(
        "INSERT INTO users (name, role, password, must_change, created_at, issuer, subject) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [name, role.word, hashed, int(must_change), now.isoformat(), issuer, subject],
    )


def end_access(con: sqlite3.Connection, name: str) -> None:
    """Every session and token of the user ends."""
    con.execute("DELETE FROM sessions WHERE name = ?", [name])
    con.execute("DELETE FROM tokens WHERE name = ?", [name])


def _keep_to_provider(con: sqlite3.Connection, name: str) -> None:
    """A second door beside the provider's would be one that nobody there can close."""
    if con.execute("SELECT 1 FROM users WHERE name = ? AND subject <> ''", [name]).fetchone():
        raise SettingsError(
            f"The identity provider logs {name} in and gives the role; change it there. `smartgrid user disable` ends it here."
        )


def _change(con: sqlite3.Connection, name: str, what: str, *values: str | int) -> None:
    if not con.execute(f"UPDATE users SET {what} WHERE name = ?", [*values, name]).rowcount:
        raise SettingsError(f"There is no user {name}; smartgrid user list shows them.")


def _keep_an_admin(con: sqlite3.Connection, name: str) -> None:
    """Undo (by raising inside the transaction) what would leave nobody who can mend it."""
    if not con.execute("SELECT 1 FROM users WHERE role = 'admin' AND NOT is_disabled").fetchone():
        raise SettingsError(f"{name} is the last admin; make another one first.")


def _write_secret(file: Path) -> None:
    """Whole or not at all, and the first of two that are written at once."""
    fresh = file.with_name(f".secret.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
        out.write(secrets.token_urlsafe(48))
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(fresh, file)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


_FREE = threading.Semaphore(HASHES_AT_ONCE)


@contextmanager
def _hashing() -> Iterator[None]:
    """Hashing takes 64 MB: two at once, whoever asks; who waits long is told so instead of holding the server up. Raises Busy."""
    if not _FREE.acquire(timeout=WAIT_FOR_HASH_S):
        raise Busy("Many log in just now; try again in a moment.")
    try:
        yield
    finally:
        _FREE.release()


def _hasher():  # type: ignore[no-untyped-def]
    from argon2 import PasswordHasher

    return PasswordHasher()


_NOBODY: list[str] = []


def _nobody() -> str:
    if not _NOBODY:
        _NOBODY.append(_hasher().hash(secrets.token_urlsafe(32)))
    return _NOBODY[0]


def user_of_row(row: sqlite3.Row) -> User:
    """The user of a row of users."""
    return User(
        row["name"], Role[row["role"].upper()], bool(row["is_disabled"]), bool(row["totp"]), bool(row["must_change"]), bool(row["subject"])
    )
