"""The Flask application: screens, files, API, log-in, all of one lake. `smartgrid serve` runs it under waitress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from smartgrid_assets.domain.errors import SettingsError, SmartGridError
from smartgrid_assets.resources.accounts import Accounts, Busy, Role
from smartgrid_assets.resources.clock import now_utc
from smartgrid_assets.web import access, words
from smartgrid_assets.web.options import Options
from smartgrid_assets.web.panel import Screen
from smartgrid_assets.web.reader import Reader, TooSlow
from smartgrid_assets.web.screens import case, cases, feeder, meter, plan, search, tomorrow, trust
from smartgrid_assets.web.show import BROKEN, log_fault
from smartgrid_assets.web.view import NotThere

if TYPE_CHECKING:
    from smartgrid_assets.chain.context import Context

LARGEST_BODY = 64 * 1024
SCREENS: tuple[Screen, ...] = tuple(module.SCREEN for module in (tomorrow, cases, plan, trust, feeder, case, meter, search))
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
"""Plotly sets styles of elements while it draws, hence 'unsafe-inline' for styles; scripts come from our own files alone."""


@dataclass(frozen=True)
class Web:
    """What routes are given. now: the clock, naive UTC."""

    reader: Reader
    accounts: Accounts
    options: Options
    now: Callable[[], datetime] = now_utc
    metrics_token: str = ""

    def screen(self, name: str) -> Screen | None:
        """The screen of that name."""
        return next((screen for screen in SCREENS if screen.name == name), None)


def create_app(context: Context, accounts: Accounts, options: Options, now: Callable[[], datetime] = now_utc) -> Flask:
    """The application over one lake."""
    from smartgrid_assets.web import api, login, metrics, oidc, pages, people, replans, verdicts

    web = Web(Reader(context, context.settings.web_timeout_s), accounts, options, now, context.settings.metrics_token.get_secret_value())
    app = Flask(__name__, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_BODY, MAX_FORM_PARTS=50, TRUSTED_HOSTS=list(options.hosts)
    )
    app.extensions["smartgrid"] = web
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["stamp"] = lambda moment: words.stamp(moment, context.settings.timezone)
    app.context_processor(lambda: _everywhere(web))
    access.guard(app, accounts, now, options.is_https)
    for part in (pages, api, verdicts, replans, login, oidc, people, metrics):
        part.register(app, web)
    access.check_marked(app)
    app.after_request(lambda response: _hardened(response, options.is_https))
    _tell_errors(app)
    return app


def _everywhere(web: Web) -> dict[str, Any]:
    """What each page needs: who looks, where they may go, the token of their forms."""
    user = g.get("user")
    session = g.get("session")
    menu = [screen for screen in SCREENS if screen.in_menu and user and user.role >= screen.needs]
    return {
        "user": user,
        "menu": menu,
        "is_admin": bool(user and user.role >= Role.ADMIN),
        "csrf": session.csrf if session else "",
        "timezone": web.reader.context.settings.timezone,
        "now": web.now(),
    }


def _hardened(response: Response, is_https: bool) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    # What a session saw is not to be had by the back button of the next person at the desk; the API's ETags need a copy.
    response.headers.setdefault("Cache-Control", "private, no-cache" if request.path.startswith("/api/") else "no-store")
    if is_https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def _tell_errors(app: Flask) -> None:
    """Each error on a page that looks like ours, or as JSON to programs; a fault of our own without its inside."""

    def told(status: int, title: str, sentence: str) -> tuple[Any, int]:
        if request.path.startswith("/api/"):
            return jsonify({"error": sentence, "status": status}), status
        return render_template("error.html", status=status, title=title, sentence=sentence), status

    @app.errorhandler(NotThere)
    def not_there(error: NotThere) -> Any:
        return told(404, "Not there", str(error))

    @app.errorhandler(TooSlow)
    def too_slow(error: TooSlow) -> Any:
        return told(503, "Too slow", str(error))

    @app.errorhandler(Busy)
    def busy(error: Busy) -> Any:
        return told(503, "Busy", str(error))

    @app.errorhandler(SettingsError)
    def nonsense(error: SettingsError) -> Any:
        return told(400, "That makes no sense", str(error))

    @app.errorhandler(SmartGridError)
    def refused(error: SmartGridError) -> Any:
        return told(500, "Refused", str(error))

    @app.errorhandler(HTTPException)
    def by_http(error: HTTPException) -> Any:
        if error.response is not None:
            return error.response
        return told(error.code or 500, error.name, _sentence(error))

    @app.errorhandler(Exception)
    def ours(error: Exception) -> Any:
        import duckdb

        log_fault(f"{request.endpoint} failed", error)
        if isinstance(error, duckdb.Error | OSError):
            return told(503, "Not to be read", BROKEN)
        return told(500, "Our fault", "This page broke; the server's log says where. The other pages are not concerned.")


def _sentence(error: HTTPException) -> str:
    plain = {
        404: "There is no such page.",
        405: "This address does not take that.",
        413: f"More than {LARGEST_BODY // 1024} kB are not taken.",
    }
    return plain.get(error.code or 500) or str(error.description or error.name)
