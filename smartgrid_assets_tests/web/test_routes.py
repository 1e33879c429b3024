"""Who may do what: every route by role, and what each is told."""

from __future__ import annotations

import pytest

from smartgrid_assets.resources import tokens
from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.app import SCREENS
from smartgrid_assets_tests.web.made import CASE, METER, Site

V, O, A, D = Role.VIEWER, Role.OPERATOR, Role.ANALYST, Role.ADMIN  # noqa: E741
ROLES = (None, V, O, A, D)
LOGIN, NO, OK = 303, 403, 200

PAGES = {
    # address                                          nobody  viewer  operator  analyst  admin
    "/": (LOGIN, 303, 303, 303, 303),
    "/tomorrow": (LOGIN, OK, OK, OK, OK),
    "/cases": (LOGIN, NO, NO, OK, OK),
    "/plan": (LOGIN, NO, OK, OK, OK),
    "/trust": (LOGIN, OK, OK, OK, OK),
    "/feeder?zone=Z1&feeder=F1": (LOGIN, OK, OK, OK, OK),
    f"/case?case={CASE}": (LOGIN, NO, NO, OK, OK),
    f"/meter?meter={METER}": (LOGIN, NO, NO, OK, OK),
    "/search?q=F1": (LOGIN, OK, OK, OK, OK),
    "/account": (LOGIN, OK, OK, OK, OK),
    "/users": (LOGIN, NO, NO, NO, OK),
    "/audit": (LOGIN, NO, NO, NO, OK),
    "/login": (OK, 303, 303, 303, 303),
    "/login/provider": (404, 404, 404, 404, 404),
    "/login/provider/back": (404, 404, 404, 404, 404),
    "/setup/nothing": (404, 404, 404, 404, 404),
    "/healthz": (OK, OK, OK, OK, OK),
    "/readyz": (OK, OK, OK, OK, OK),
    "/metrics": (OK, OK, OK, OK, OK),
    "/favicon.ico": (OK, OK, OK, OK, OK),
    "/static/x/page.css": (OK, OK, OK, OK, OK),
    "/api/v1/openapi.json": (401, OK, OK, OK, OK),
    "/api/v1/me": (401, OK, OK, OK, OK),
}
FILES = {
    "/tomorrow/load.csv": (LOGIN, OK, OK, OK, OK),
    "/cases/to-visit.csv": (LOGIN, NO, NO, OK, OK),
    "/plan/stack.parquet": (LOGIN, NO, OK, OK, OK),
    "/trust/accuracy.csv": (LOGIN, OK, OK, OK, OK),
    "/trust/deliveries.csv": (LOGIN, NO, OK, OK, OK),
    "/feeder/near.csv?zone=Z1&feeder=F1": (LOGIN, OK, OK, OK, OK),
    f"/case/story.csv?case={CASE}": (LOGIN, NO, NO, OK, OK),
    f"/meter/days.csv?meter={METER}": (LOGIN, NO, NO, OK, OK),
    "/search/places.csv?q=F1": (LOGIN, OK, OK, OK, OK),
    "/search/meters.csv?q=M-1": (LOGIN, NO, NO, OK, OK),
}
WRITES = {
    # without the form's token even those who may are refused: 400
    "/login": (400, 400, 400, 400, 400),
    "/setup/nothing": (400, 400, 400, 400, 400),
    "/logout": (401, 400, 400, 400, 400),
    "/account/password": (401, 400, 400, 400, 400),
    "/account/second-factor": (401, 400, 400, 400, 400),
    "/case/verdict": (401, 400, 400, 400, 400),
    "/plan/replan": (401, 400, 400, 400, 400),
    "/users": (401, 400, 400, 400, 400),
    "/users/change": (401, 400, 400, 400, 400),
}
WITH_TOKEN = {
    "/case/verdict": (NO, NO, 400, 400),
    "/plan/replan": (NO, 400, 400, 400),
    "/users": (NO, NO, NO, 400),
    "/users/change": (NO, NO, NO, 400),
}


def reads() -> dict[str, tuple[int, ...]]:
    """Pages, files, and the API beside them, whose doors are the screens' own."""
    api = {}
    for screen in SCREENS:
        page = next(told for address, told in PAGES.items() if address.split("?")[0] == f"/{screen.name}")
        query = next(address for address in PAGES if address.split("?")[0] == f"/{screen.name}").partition("?")[2]
        api[f"/api/v1/{screen.name}?{query}"] = (401, *page[1:])
    for address, told in FILES.items():
        path, _, query = address.partition("?")
        api[f"/api/v1{path.rsplit('.', 1)[0]}?{query}"] = (401, *told[1:])
    return PAGES | FILES | api


@pytest.mark.parametrize("n", range(5), ids=["nobody", "viewer", "operator", "analyst", "admin"])
def test_every_route_is_open_to_those_it_is_for_and_to_nobody_else(site: Site, n: int) -> None:
    role = ROLES[n]
    client = site.as_(role) if role else site.visitor()
    found = {address: client.get(address).status_code for address in reads()}
    assert found == {address: told[n] for address, told in reads().items()}


@pytest.mark.parametrize("n", range(5), ids=["nobody", "viewer", "operator", "analyst", "admin"])
def test_nothing_is_written_without_the_form_s_token(site: Site, n: int) -> None:
    role = ROLES[n]
    for address, told in WRITES.items():
        client = site.as_(role) if role else site.visitor()
        assert client.post(address, data={}).status_code == told[n], address


@pytest.mark.parametrize("n", range(4), ids=["viewer", "operator", "analyst", "admin"])
def test_with_the_token_the_role_decides_and_then_the_words(site: Site, n: int) -> None:
    from smartgrid_assets_tests.web.made import form_token

    client = site.as_(Role(n + 1))
    token = form_token(client, "/account")
    assert {address: client.post(address, data={"csrf": token}).status_code for address in WITH_TOKEN} == {
        a: t[n] for a, t in WITH_TOKEN.items()
    }


def test_no_route_is_missing_from_these_tables(site: Site) -> None:
    adapter = site.app.url_map.bind("localhost")
    swept = {("GET", adapter.match(address.split("?")[0], "GET")[0]) for address in reads()}
    swept |= {("POST", adapter.match(address, "POST")[0]) for address in WRITES}
    there = {
        (method, rule.endpoint)
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "DELETE", "PATCH"}
    }
    assert there == swept


def test_a_route_without_a_role_stops_the_server_from_starting(site: Site) -> None:
    from flask import Flask

    from smartgrid_assets.web.access import check_marked

    app = Flask("bare", static_folder=None)
    app.add_url_rule("/open", "open", lambda: "everything")
    with pytest.raises(TypeError, match="/open"):
        check_marked(app)


def test_a_token_reads_the_api_as_its_user_and_writes_nothing(site: Site) -> None:
    token = tokens.make(site.accounts, "operator", "script", site.now[0])
    client, header = site.visitor(), {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/plan/stack", headers=header).status_code == 200
    assert client.get("/api/v1/cases/to-visit", headers=header).status_code == 403
    assert client.post("/logout", headers=header).status_code == 403
    assert client.get("/api/v1/me", headers={"Authorization": "Bearer sg_no"}).status_code == 401
    tokens.withdraw(site.accounts, "operator")
    assert client.get("/api/v1/me", headers=header).status_code == 401
