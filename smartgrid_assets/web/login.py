"""Log-in, log-out, the first admin's set-up, and one's own account: password and second factor."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, g, make_response, redirect, render_template, request

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources import audit, sessions
from smartgrid_assets.resources.accounts import NAME, Locked, Refused, Role
from smartgrid_assets.web import access
from smartgrid_assets.web.access import EVERYONE, needs, who

if TYPE_CHECKING:
    from smartgrid_assets.web.app import Web


def register(app: Flask, web: Web) -> None:
    """Routes before and around a session."""
    cookie = access.cookie_name(web.options.is_https)
    begin, form = partial(begin_session, web), partial(form_page, web)

    @app.get("/login")
    @needs(EVERYONE)
    def login() -> Any:
        if g.user:
            return redirect(access.safe_next(request.args.get("next", "/")), 303)
        return form("login.html", next=access.safe_next(request.args.get("next", "/")), has_users=bool(web.accounts.users()))

    @app.post("/login")
    @needs(EVERYONE)
    def log_in() -> Any:
        to = access.safe_next(request.form.get("next", "/"))
        if g.session is None and not access.is_login_form(web.accounts):
            return form("login.html", 400, next=to, sentence="This form is too old; try again.", has_users=True)
        name, password, code = (request.form.get(field, "") for field in ("name", "password", "code"))
        address = request.remote_addr or "unknown"
        try:
            user = web.accounts.log_in(name, password, code, address, web.now())
        except Refused as error:
            if not isinstance(error, Locked):  # strangers cannot fill the log
                audit.note(
                    web.accounts, name if NAME.fullmatch(name) else "(no name)", "was refused at log-in", f"from {address}", web.now()
                )
            return form("login.html", 401, next=to, sentence=str(error), has_users=True)
        audit.note(web.accounts, user.name, "logged in", f"from {address}", web.now())
        return begin(user.name, to)

    @app.post("/logout")
    @needs(Role.VIEWER)
    def log_out() -> Any:
        sessions.end(web.accounts, g.session.token)
        audit.note(web.accounts, who().name, "logged out", "", web.now())
        response = redirect("/login", 303)
        response.delete_cookie(cookie, path="/", secure=web.options.is_https, httponly=True)
        return response

    @app.get("/setup/<token>")
    @needs(EVERYONE)
    def setup(token: str) -> Any:
        if not web.accounts.may_set_up(token, web.now()):
            abort(404)
        return form("setup.html", token=token)

    @app.post("/setup/<token>")
    @needs(EVERYONE)
    def set_up(token: str) -> Any:
        if not access.is_login_form(web.accounts):
            return form("setup.html", 400, token=token, sentence="This form is too old; try again.")
        name, password = request.form.get("name", "").strip(), request.form.get("password", "")
        try:
            user = web.accounts.set_up(token, name, password, web.now())
        except Refused:
            abort(404)
        except SettingsError as error:
            return form("setup.html", 400, token=token, sentence=str(error), name=name)
        audit.note(web.accounts, user.name, "set up the first admin", "", web.now())
        return begin(user.name, "/")

    @app.get("/account")
    @needs(Role.VIEWER)
    def account() -> Any:
        return render_template("account.html", fresh=_fresh_factor())

    @app.post("/account/password")
    @needs(Role.VIEWER)
    def password() -> Any:
        _confirmed(web)
        if request.form.get("password") != request.form.get("again"):
            raise SettingsError("The two new passwords differ.")
        web.accounts.change_password(who().name, request.form.get("password", ""))
        audit.note(web.accounts, who().name, "changed the password", "", web.now())
        return begin(who().name, "/account")

    @app.post("/account/second-factor")
    @needs(Role.VIEWER)
    def second_factor() -> Any:
        _confirmed(web)
        secret = request.form.get("secret", "")
        if secret:
            web.accounts.enrol(who().name, secret, request.form.get("new_code", ""), web.now())
        else:
            web.accounts.drop_factor(who().name)
        audit.note(web.accounts, who().name, "set a second factor" if secret else "removed the second factor", "", web.now())
        return redirect("/account", 303)


def begin_session(web: Web, name: str, to: str) -> Response:
    """Somebody is who they say: a new session in place of the one before, and on to a page of ours."""
    cookie = access.cookie_name(web.options.is_https)
    session = sessions.begin(web.accounts, name, web.now(), request.cookies.get(cookie, ""))
    response = redirect(to, 303)
    access.set_cookie(response, cookie, session.token, web.options.is_https)  # type: ignore[arg-type]
    response.delete_cookie(access.LOGIN_FORM, path="/")
    return response  # type: ignore[return-value]


def form_page(web: Web, template: str, status: int = 200, **values: Any) -> Response:
    """A form before log-in, with a token of its own."""
    nonce = access.new_nonce()
    page = render_template(template, form_token=access.login_token(web.accounts, nonce), provider=web.options.provider, **values)
    response = make_response(page, status)
    access.set_cookie(response, access.LOGIN_FORM, nonce, web.options.is_https, "Strict")
    return response


def _confirmed(web: Web) -> None:
    """Whoever changes an account knows its password, not only its open browser."""
    web.accounts.log_in(
        who().name, request.form.get("current", ""), request.form.get("code", ""), request.remote_addr or "unknown", web.now()
    )


def _fresh_factor() -> dict[str, str]:
    import pyotp

    secret = pyotp.random_base32()
    return {"secret": secret, "address": pyotp.TOTP(secret).provisioning_uri(name=who().name, issuer_name="SmartGridAI")}
