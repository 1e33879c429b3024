"""Users and the audit log, for admins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, redirect, render_template, request

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources import audit, tokens
from smartgrid_assets.resources.accounts import Role, role_of
from smartgrid_assets.web.access import needs, who

if TYPE_CHECKING:
    from smartgrid_assets.web.app import Web

LINES = 200


def register(app: Flask, web: Web) -> None:
    """Routes of admins."""

    @app.get("/users")
    @needs(Role.ADMIN)
    def users() -> Any:
        return render_template("users.html", users=web.accounts.users(), roles=list(Role))

    @app.post("/users")
    @needs(Role.ADMIN)
    def add() -> Any:
        name, role = request.form.get("name", "").strip(), role_of(request.form.get("role", ""))
        password = web.accounts.add_with_password(name, role, web.now())
        audit.note(web.accounts, who().name, f"added a user as {role.word}", name, web.now())
        return render_template("users.html", users=web.accounts.users(), roles=list(Role), added=name, password=password)

    @app.post("/users/change")
    @needs(Role.ADMIN)
    def change() -> Any:
        name, what = request.form.get("name", ""), request.form.get("what", "")
        if what in ("disable", "enable"):
            web.accounts.disable(name, what == "disable")
        elif what == "withdraw-tokens":
            tokens.withdraw(web.accounts, name)
        elif what == "role":
            web.accounts.change_role(name, role_of(request.form.get("role", "")))
        else:
            raise SettingsError(f"{what[:20]!r} is nothing that can be done to a user.")
        audit.note(web.accounts, who().name, f"role {request.form['role']}" if what == "role" else what, name, web.now())
        return redirect("/users", 303)

    @app.get("/audit")
    @needs(Role.ADMIN)
    def log() -> Any:
        before = request.args.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 12):
            raise SettingsError("before= is the number of a line.")
        lines = audit.lines(web.accounts, LINES, int(before) if before else None)
        return render_template("audit.html", lines=lines, verdict=audit.verdict(web.accounts))
