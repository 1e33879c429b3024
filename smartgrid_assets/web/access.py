"""Who asks, and may they? Every route says who it is for; one that does not stops the server from starting.

Browsers come with a session cookie, programs with a token in `Authorization: Bearer`. Whatever writes needs the session's own token in the
form (CSRF), and an Origin that is this server's.
Source: OWASP Session Management and CSRF Prevention Cheat Sheets.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as Answer

from smartgrid_assets.resources.accounts import Accounts, Role, User, is_same
from smartgrid_assets.resources.sessions import find
from smartgrid_assets.resources.tokens import owner

EVERYONE = 0
SAFE = ("GET", "HEAD", "OPTIONS")
WATCHED = ("healthz", "readyz")
"""Watchdogs may ask beside the TLS proxy: nothing is told but yes or no."""
WITH_ANY_PASSWORD = ("account", "password", "log_out")
LOGIN_FORM = "smartgrid_login"

View = TypeVar("View", bound=Callable[..., Any])


def needs(role: Role | int) -> Callable[[View], View]:
    """Mark a route with the least role that it takes; EVERYONE for those before log-in."""

    def marked(view: View) -> View:
        view.needs = int(role)  # type: ignore[attr-defined]
        return view

    return marked


def guard(app: Flask, accounts: Accounts, now: Callable[[], Any], is_https: bool) -> None:
    """Hold every request against the route's role; `check_marked` afterwards makes sure that each has one."""
    cookie = cookie_name(is_https)

    @app.before_request
    def may_they() -> Answer | None:
        g.user, g.session, g.is_program = None, None, False
        view = app.view_functions.get(request.endpoint or "")
        if view is None:
            return None  # 404 and 405 are told by the error page
        if is_https and request.scheme != "https" and request.endpoint not in WATCHED:
            abort(400, "This server is reached through its TLS proxy alone.")
        _recognise(accounts, cookie, now())
        if request.method not in SAFE:
            _check_origin(request)
            if g.session is not None and not is_same(request.form.get("csrf", ""), g.session.csrf):
                abort(400, "This form is too old; load the page again.")
        needed = view.needs  # type: ignore[union-attr]
        if needed == EVERYONE:
            return None
        if g.user is None:
            return _to_login(request)
        if g.user.role < needed:
            abort(403, f"This takes the role {Role(needed).word}; you are {g.user.role.word}. An admin can change that.")
        if request.method not in SAFE and g.session is None:
            abort(403, "A token reads; whatever writes takes a session.")
        if g.user.must_change and request.endpoint not in WITH_ANY_PASSWORD:
            return _to_account()
        return None


def check_marked(app: Flask) -> None:
    """Raises TypeError for a route without a role: a bug of ours, found when the server starts."""
    bare = sorted(rule.rule for rule in app.url_map.iter_rules() if not hasattr(app.view_functions[rule.endpoint], "needs"))
    if bare:
        raise TypeError(f"Routes without a role: {', '.join(bare)}; mark them with needs(...).")


def _recognise(accounts: Accounts, cookie: str, now: Any) -> None:
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        g.user, g.is_program = owner(accounts, header.removeprefix("Bearer ").strip(), now), True
        return
    token = request.cookies.get(cookie, "")
    if token:
        g.session = find(accounts, token, now)
        g.user = g.session.user if g.session else None


def _to_login(asked: Request) -> Answer:
    if asked.path.startswith("/api/") or g.is_program:
        abort(401, "Log in, or send a token: Authorization: Bearer sg_...")
    if asked.method != "GET":
        abort(401, "Your session is over; log in again.")
    return redirect(f"/login?next={_quoted(asked.full_path.rstrip('?'))}", 303)


def _to_account() -> Answer:
    if request.path.startswith("/api/") or request.method != "GET":
        abort(403, "Somebody else knows your password; choose one of your own first, at /account.")
    return redirect("/account", 303)


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="")


def _check_origin(asked: Request) -> None:
    """A browser says where a form came from; another host's is refused."""
    origin = asked.headers.get("Origin")
    if (origin and _host_of(origin) != asked.host) or asked.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        abort(403, "This form came from another site.")


def _host_of(address: str) -> str:
    """Host and port of an address; empty where it has none (`null`, nonsense)."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def cookie_name(is_https: bool) -> str:
    """__Host- makes browsers refuse one that another host of the domain planted."""
    return "__Host-smartgrid" if is_https else "smartgrid"


def set_cookie(response: Response, name: str, value: str, is_https: bool, same_site: str = "Lax") -> None:
    """A cookie that scripts cannot read and that goes to this host alone."""
    response.set_cookie(name, value, httponly=True, secure=is_https, samesite=same_site, path="/")


def login_token(accounts: Accounts, nonce: str) -> str:
    """What the log-in form sends back for its cookie: nobody else can make the pair."""
    return accounts.kept(f"log-in form {nonce}")


def is_login_form(accounts: Accounts) -> bool:
    """True where the form and its cookie belong together."""
    nonce = request.cookies.get(LOGIN_FORM, "")
    return bool(nonce) and is_same(request.form.get("csrf", ""), login_token(accounts, nonce))


def new_nonce() -> str:
    """Of a log-in form."""
    return secrets.token_urlsafe(24)


def safe_next(path: str) -> str:
    """Where to go after log-in: a page of ours, nothing else.

    >>> safe_next("/plan?day=2026-11-01"), safe_next("//evil.example"), safe_next("https://evil.example"), safe_next("/\\\\evil")
    ('/plan?day=2026-11-01', '/', '/', '/')
    """
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return path if is_ours and "\\" not in path and path.isprintable() else "/"


def who() -> User:
    """The visitor, on a route that takes a role."""
    assert g.user is not None
    user: User = g.user
    return user
