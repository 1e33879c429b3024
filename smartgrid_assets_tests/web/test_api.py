"""The API: its document is valid and true, pages follow each other, what has not changed is not sent again."""

from __future__ import annotations

import io

import pytest

from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.api import openapi
from smartgrid_assets.web.app import SCREENS
from smartgrid_assets_tests.web.made import CASE, METER, NEWEST, Site

GIVEN = {"feeder": "F1", "zone": "Z1", "case": CASE, "meter": METER, "q": "F1", "day": str(NEWEST)}
NEEDED = {"feeder": ("zone", "feeder"), "case": ("case",), "meter": ("meter",), "search": ("q",)}


def test_the_document_is_valid_openapi() -> None:
    from openapi_spec_validator import validate

    validate(openapi(SCREENS))


@pytest.mark.parametrize("path", sorted(openapi(SCREENS)["paths"]))
def test_what_the_document_says_is_there_is_there_and_looks_as_it_says(site: Site, path: str) -> None:
    from jsonschema import Draft202012Validator

    document = openapi(SCREENS)
    operation = document["paths"][path]["get"]
    needed = NEEDED.get(path.split("/")[1], ())
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names >= set(needed)
    answer = site.as_(Role.ADMIN).get(f"/api/v1{path}", query_string={name: GIVEN[name] for name in needed})
    assert answer.status_code == 200, answer.text
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json)
    if "rows" in answer.json:
        fields = {field["name"] for field in answer.json["fields"]}
        assert all(fields <= set(row) for row in answer.json["rows"])


def test_pages_follow_each_other_and_hold_every_row_once(site: Site) -> None:
    client, address, rows = site.as_(Role.VIEWER), "/api/v1/tomorrow/load?zone=Z1&limit=20", []
    while address:
        answer = client.get(address).json
        rows += answer["rows"]
        address = answer["next"]
    whole = client.get("/api/v1/tomorrow/load?zone=Z1").json
    assert rows == whole["rows"] and len(rows) == whole["total"] == 48


def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    client = site.as_(Role.VIEWER)
    first = client.get("/api/v1/tomorrow/load?zone=Z1")
    again = client.get("/api/v1/tomorrow/load?zone=Z1", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    other = client.get("/api/v1/tomorrow/load?zone=*", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_page_file_and_api_say_the_same(site: Site) -> None:
    import csv

    import pyarrow.parquet as pq

    client = site.as_(Role.VIEWER)
    api = client.get("/api/v1/tomorrow/load?zone=Z1").json["rows"]
    parquet = pq.read_table(io.BytesIO(client.get("/tomorrow/load.parquet?zone=Z1").data)).to_pylist()
    text = list(csv.DictReader(io.StringIO(client.get("/tomorrow/load.csv?zone=Z1").text)))
    assert [row["forecast_mw"] for row in api] == [row["forecast_mw"] for row in parquet] == [float(row["forecast_mw"]) for row in text]
    assert (
        [row["interval_start_local"] for row in api]
        == [row["interval_start_local"] for row in parquet]
        == [row["interval_start_local"] for row in text]
    )
    assert api[0]["interval_start_utc"] == "2026-10-25T23:00:00Z" and parquet[0]["interval_start_utc"].isoformat() == "2026-10-25T23:00:00"
    page = client.get("/tomorrow?zone=Z1").text
    assert f"{api[0]['forecast_mw']:.2f}" in page


def test_watchdogs_learn_whether_it_answers_how_fast_and_how_old_the_data_are(site: Site) -> None:
    client = site.visitor()
    assert client.get("/healthz").json == {"status": "ok"} and client.get("/readyz").json["checks"] == {"lake": True, "accounts": True}
    text = client.get("/metrics").text
    assert 'smartgrid_newest_day_timestamp_seconds{table="operator/overview"} 1.7929728e+09' in text
    assert 'smartgrid_web_request_seconds_count{endpoint="healthz",status="200"}' in text


def test_metrics_are_closed_to_those_without_the_token(own_site: Site) -> None:
    from smartgrid_assets.settings import Settings
    from smartgrid_assets_tests.web.made import site_of

    chosen = Settings(home=own_site.context.settings.home, timezone="Europe/Berlin", metrics_token="a-token")
    from smartgrid_assets.home import chain_context

    client = site_of(chain_context(chosen=chosen)).visitor()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer a-token"}).status_code == 200


def test_not_ready_is_said_with_what_is_not(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    own_site.context.lake.root.rename(own_site.context.lake.root.with_name("away"))
    answer = own_site.visitor().get("/readyz")
    assert answer.status_code == 503 and answer.json["checks"] == {"lake": False, "accounts": True}
    own_site.context.lake.root.with_name("away").rename(own_site.context.lake.root)

    def broken(*_: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(type(own_site.accounts), "users", broken)
    answer = own_site.visitor().get("/readyz")
    assert answer.status_code == 503 and answer.json["checks"] == {"lake": True, "accounts": False}
