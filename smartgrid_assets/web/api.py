"""The same panels as JSON, under /api/v1, with an OpenAPI document that is made from the screens themselves."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, jsonify, request

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.access import needs, who
from smartgrid_assets.web.pages import may, panel_of, view_for, write_down
from smartgrid_assets.web.panel import Screen
from smartgrid_assets.web.show import as_json

if TYPE_CHECKING:
    from smartgrid_assets.web.app import Web

DEFAULT, MOST = 500, 5000
PARAMETERS = {
    "day": ("market day, YYYY-MM-DD; the newest by default", "2026-11-07"),
    "zone": ("zone; * or nothing = all", "Z1"),
    "feeder": ("feeder", "F001"),
    "as_of": ("as the page looked at that moment: local market time, or with an offset", "2026-11-06T12:00"),
    "case": ("id of a case", "2026-11-05-0123abcd"),
    "meter": ("id of a meter", "M1"),
    "q": ("text to look for, two characters or more", "F0"),
}


def register(app: Flask, web: Web) -> None:
    """Routes of the API."""
    from smartgrid_assets.web.app import SCREENS

    @app.get("/api/v1/openapi.json")
    @needs(Role.VIEWER)
    def document() -> Response:
        return _with_tag(jsonify(openapi(SCREENS)))

    @app.get("/api/v1/me")
    @needs(Role.VIEWER)
    def me() -> Response:
        return _with_tag(jsonify({"name": who().name, "role": who().role.word, "may": [s.name for s in SCREENS if s.needs <= who().role]}))

    for screen in SCREENS:
        app.add_url_rule(f"/api/v1/{screen.name}", f"api_{screen.name}", _panels(web, screen), methods=["GET"])
        app.add_url_rule(f"/api/v1/{screen.name}/<name>", f"api_panel_{screen.name}", _panel(web, screen), methods=["GET"])


def _panels(web: Web, screen: Screen) -> Any:
    @needs(screen.needs)
    def panels() -> Response:
        view = view_for(web, screen)
        query = view.query()
        listed = [
            {"name": p.name, "title": p.title, "says": p.says, "url": f"/api/v1/{screen.name}/{p.name}{query}"} for p in may(screen, view)
        ]
        return _with_tag(jsonify({"screen": screen.name, "question": screen.question, "panels": listed}))

    return panels


def _panel(web: Web, screen: Screen) -> Any:
    @needs(screen.needs)
    def panel(name: str) -> Response:
        found, view = panel_of(screen, name), view_for(web, screen)
        if screen.role_for(found) > view.user.role:
            abort(403, f"This takes the role {screen.role_for(found).word}.")
        limit, offset = _count("limit", DEFAULT, MOST), _count("offset", 0, 10_000_000)
        if screen.heading:
            screen.heading(view)
        write_down(web, screen, view, f", {name} by the API")
        body = as_json(found, found.make(view), view, limit, offset)
        body["next"] = body["next"] and f"/api/v1/{screen.name}/{name}{body['next']}"
        return _with_tag(jsonify(body))

    return panel


def _count(name: str, default: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 8 or not (name == "offset" or int(text)) or int(text) > most:
        raise SettingsError(f"{name}={text[:20]} is not a whole number from {0 if name == 'offset' else 1} to {most}.")
    return int(text)


def _with_tag(response: Response) -> Response:
    """An ETag; whoever has the same gets 304 and no body."""
    response.add_etag()
    response.make_conditional(request)
    return response


def openapi(screens: tuple[Screen, ...]) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    paths: dict[str, Any] = {"/me": {"get": _operation("me", "Who am I, and what may I see?", (), Role.VIEWER, {"type": "object"})}}
    for screen in screens:
        listing = {"type": "object", "properties": {"panels": {"type": "array", "items": {"type": "object"}}}}
        paths[f"/{screen.name}"] = {"get": _operation(f"{screen.name}_panels", screen.question, screen.parameters, screen.needs, listing)}
        for panel in screen.panels:
            operation = _operation(
                f"{screen.name}_{panel.name}".replace("-", "_"),
                panel.says,
                screen.parameters,
                screen.role_for(panel),
                {"$ref": "#/components/schemas/Panel"},
            )
            operation["parameters"] += [
                _parameter("limit", "rows of a page", DEFAULT, "integer"),
                _parameter("offset", "rows to leave out before", 0, "integer"),
            ]
            paths[f"/{screen.name}/{panel.name}"] = {"get": operation}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SmartGridAI",
            "version": version("smartgrid-assets"),
            "description": "What the operator's page shows, for programs.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "smartgrid user token NAME"},
                "session": {"type": "apiKey", "in": "cookie", "name": "smartgrid"},
            },
            "schemas": {"Panel": _PANEL, "Error": _ERROR},
        },
    }


_TEXT, _WHOLE = {"type": "string"}, {"type": "integer"}
_PANEL = {
    "type": "object",
    "required": ["title", "fields", "rows", "total", "limit", "offset", "next", "timezone"],
    "properties": {
        "title": _TEXT, "says": _TEXT, "sentence": _TEXT, "made": _TEXT, "timezone": _TEXT, "total": _WHOLE, "limit": _WHOLE, "offset": _WHOLE,
        "next": {"type": ["string", "null"]},
        "fields": {"type": "array", "items": {"type": "object", "properties": {"name": _TEXT, "title": _TEXT, "unit": _TEXT}}},
        "rows": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    },
}  # fmt: skip
_ERROR = {"type": "object", "required": ["error", "status"], "properties": {"error": _TEXT, "status": _WHOLE}}


def _parameter(name: str, says: str, example: Any, kind: str = "string") -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": says, "schema": {"type": kind}, "example": example}


def _operation(name: str, says: str, parameters: tuple[str, ...], role: Role, schema: dict[str, Any]) -> dict[str, Any]:
    failed = {"description": "said in a sentence", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    return {
        "operationId": name,
        "summary": says or name,
        "description": f"Takes the role {role.word}.",
        "parameters": [_parameter(one, *PARAMETERS[one]) for one in parameters],
        "responses": {
            "200": {"description": "as asked", "content": {"application/json": {"schema": schema}}},
            "304": {"description": "as you have it"},
        }
        | {str(status): failed for status in (400, 401, 403, 404)},
    }
