"""Screens as HTML, their panels as files, and the few static files, all from this host."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, redirect, render_template, request, send_file

from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets.domain.market_day import local_to_utc, utc_to_local
from smartgrid_assets.resources import audit
from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.access import EVERYONE, needs, who
from smartgrid_assets.web.panel import Panel, Screen
from smartgrid_assets.web.show import as_csv, as_parquet, grid, log_fault, made
from smartgrid_assets.web.view import NotThere, View, said, view_of

if TYPE_CHECKING:
    from smartgrid_assets.web.app import Web

STATIC = Path(__file__).parent / "static"
FORMS = {"csv": ("text/csv; charset=utf-8", as_csv), "parquet": ("application/vnd.apache.parquet", as_parquet)}
FOREVER = "public, max-age=31536000, immutable"


def register(app: Flask, web: Web) -> None:
    """Routes of the screens."""
    from smartgrid_assets.web.app import SCREENS

    @app.get("/")
    @needs(Role.VIEWER)
    def home() -> Any:
        return redirect("/tomorrow", 303)

    for screen in SCREENS:
        app.add_url_rule(f"/{screen.name}", f"screen_{screen.name}", _page(web, screen), methods=["GET"])
        app.add_url_rule(f"/{screen.name}/<name>.<form>", f"file_{screen.name}", _file(web, screen), methods=["GET"])

    @app.get("/static/<version>/<name>")
    @needs(EVERYONE)
    def static(version: str, name: str) -> Response:
        file = static_files().get(name)
        if file is None:
            abort(404)
        response = send_file(file, conditional=True)
        response.headers["Cache-Control"] = FOREVER
        return response

    @app.get("/favicon.ico")
    @needs(EVERYONE)
    def favicon() -> Response:
        return send_file(STATIC / "icon.svg", mimetype="image/svg+xml")

    app.jinja_env.globals["static_url"] = static_url


def _page(web: Web, screen: Screen) -> Any:
    @needs(screen.needs)
    def page() -> Any:
        view = view_for(web, screen)
        if not view.days and screen.name != "search":
            return render_template("empty.html", screen=screen)
        heading = _whole(lambda: screen.heading(view) if screen.heading else screen.title, screen.title, f"heading of {screen.name}")
        write_down(web, screen, view)
        panels = [(panel, shown := made(panel, view), grid(shown, view)) for panel in may(screen, view)]
        controls = _whole(lambda: _controls(screen, view), {}, f"pickers of {screen.name}")
        return render_template("screen.html", screen=screen, view=view, heading=heading, panels=panels, controls=controls)

    return page


def _whole(asked: Callable[[], Any], instead: Any, where: str) -> Any:
    """What a page can do without, where its table is broken; sentences to the visitor go on."""
    try:
        return asked()
    except SmartGridError:
        raise
    except Exception as error:
        log_fault(where, error)
        return instead


def _file(web: Web, screen: Screen) -> Any:
    @needs(screen.needs)
    def file(name: str, form: str) -> Response:
        panel, view = panel_of(screen, name), view_for(web, screen)
        if form not in FORMS:
            raise NotThere(f"There is no .{form} of it; there are .csv and .parquet.")
        if screen.role_for(panel) > view.user.role:
            abort(403, f"This takes the role {screen.role_for(panel).word}.")
        if screen.heading:
            screen.heading(view)  # what is not there is a 404, not an empty file
        write_down(web, screen, view, f", {name}.{form}")
        kind, write = FORMS[form]
        response = Response(write(panel.make(view), view), content_type=kind)
        response.headers["Content-Disposition"] = (
            f'attachment; filename="{screen.name}-{name}-{view.asked_day or (view.days or [view.now.date()])[-1]}.{form}"'
        )
        return response

    return file


def view_for(web: Web, screen: Screen) -> View:
    """The view that this request asks for; parameters that the screen does not take are left out."""
    given = {name: request.args[name] for name in screen.parameters if request.args.get(name)}
    return view_of(web.reader, who(), web.now(), screen.name, given)


def panel_of(screen: Screen, name: str) -> Panel:
    """The panel of that name; NotThere names those that there are."""
    panel = screen.panel(name)
    if panel is None:
        raise NotThere(f"{screen.title} has no panel {name}; it has {', '.join(one.name for one in screen.panels)}.")
    return panel


def may(screen: Screen, view: View) -> list[Panel]:
    """The panels that this visitor may see."""
    return [panel for panel in screen.panels if screen.role_for(panel) <= view.user.role]


def write_down(web: Web, screen: Screen, view: View, what: str = "") -> None:
    """Into the audit log, where a screen shows single meters."""
    if screen.seen is None:
        return
    about = _whole(lambda: screen.seen(view) if screen.seen else "", "(its table cannot be read)", f"audit of {screen.name}")
    if not about:
        return
    about = audit.of_meter(web.accounts, view.meter) if about == "*meter" else about
    audit.note(web.accounts, view.user.name, f"saw {screen.name}{what}", about, web.now())


def _controls(screen: Screen, view: View) -> dict[str, Any]:
    """The pickers of a screen: days before and after, zones, moments."""
    if not view.days or screen.name == "search":
        return {}
    found: dict[str, Any] = {}
    if "day" in screen.parameters and screen.in_menu:
        n = view.days.index(view.day) if view.day in view.days else len(view.days) - 1
        found["day"] = view.day
        found["days"] = (view.days[0], view.days[-1])
        found["before"] = view.url(day=view.days[n - 1]) if n > 0 else None
        found["after"] = view.url(day=view.days[n + 1]) if n + 1 < len(view.days) else None
    if "zone" in screen.parameters and screen.in_menu:
        found["zones"] = [(zone, said(zone)) for zone in view.zones]
    if "as_of" in screen.parameters:
        local = utc_to_local(view.as_of, view.tz).replace(fold=0) if view.as_of else None
        found["as_of"] = local.isoformat(timespec="minutes") if local else ""
        # The second 02:00 of an autumn night has no name without its offset.
        found["is_second"] = bool(local and local_to_utc(local, view.tz) != view.as_of)
        found["as_of_utc"] = f"{view.as_of.isoformat(timespec='minutes')}Z" if view.as_of else ""
    return found


@lru_cache(maxsize=1)
def static_files() -> dict[str, Path]:
    """Name -> file; Plotly's script comes out of its Python package, whose Python is not loaded for it."""
    found = {file.name: file for file in STATIC.iterdir() if file.is_file()}
    spec = importlib.util.find_spec("plotly")
    if spec and spec.submodule_search_locations:
        found["plotly.min.js"] = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return found


@lru_cache(maxsize=32)
def static_url(name: str) -> str:
    """Address with a digest of the file in it: kept by browsers for ever, and never stale."""
    return f"/static/{hashlib.sha256(static_files()[name].read_bytes()).hexdigest()[:12]}/{name}"
