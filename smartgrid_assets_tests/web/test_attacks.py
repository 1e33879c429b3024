"""What attackers try: injection, scripts in names, forged cookies and forms, other hosts, large and odd requests, guessing."""

from __future__ import annotations

import pytest

from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.app import LARGEST_BODY, POLICY
from smartgrid_assets_tests.web.made import CASE, METER, OTHER, SCRIPT, Site, form_token, log_in

INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE cases; --",
    "\") UNION SELECT * FROM read_csv('/etc/passwd') --",
    "Z1' UNION SELECT 1 --",
    "%27%20OR%201=1",
    "../../etc/passwd",
    "{{1337*7331}}",
]
PARAMETERS = ["day", "zone", "feeder", "as_of", "case", "meter", "q", "limit", "offset"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_parameter_reaches_sql_or_templates(site: Site, text: str) -> None:
    client = site.as_(Role.ADMIN)
    for address in (
        "/tomorrow",
        "/cases",
        "/case",
        "/meter",
        "/feeder",
        "/search",
        "/api/v1/search/meters",
        "/api/v1/cases/to-visit",
        "/cases/to-visit.csv",
    ):
        for name in PARAMETERS:
            given = {"case": CASE, "meter": METER, "zone": "Z1", "feeder": "F1"} if address not in ("/tomorrow",) else {}
            answer = client.get(address, query_string=given | {name: text})
            assert answer.status_code in (200, 303, 400, 404), (address, name, answer.status_code)
            assert "root:" not in answer.text and "Binder" not in answer.text and "Parser" not in answer.text
            assert "9801547" not in answer.text
    assert client.get("/api/v1/search/meters?q=' OR '1'='1").json["total"] == 0


def test_names_with_scripts_are_text_everywhere(site: Site) -> None:
    client = site.as_(Role.ANALYST)
    for address in ("/tomorrow?zone=Z1", "/cases", f"/case?case={CASE}", "/search?q=M", "/search?q=script"):
        assert SCRIPT not in client.get(address).text, address
    assert SCRIPT not in client.get("/meter", query_string={"meter": OTHER}).text
    assert SCRIPT not in client.get("/search", query_string={"q": SCRIPT}).text
    assert SCRIPT not in client.get("/tomorrow", query_string={"zone": SCRIPT}).text
    answer = client.get("/feeder", query_string={"zone": "Z1", "feeder": f"F{SCRIPT}"})
    assert answer.status_code == 200 and SCRIPT not in answer.text


def test_names_in_pictures_are_text_to_plotly_too(site: Site) -> None:
    from smartgrid_assets.web.charts import chart

    drawn = chart(
        [
            {
                "type": "bar",
                "name": "<a href='https://evil.example'>x</a>",
                "x": [1.0, None],
                "y": ["<b>F1</b> & F2"],
                "hovertemplate": "%{y}<extra></extra>",
            }
        ],
        {},
        "",
        "",
    )
    (trace,) = drawn["data"]
    assert trace["name"].startswith("&lt;a href") and trace["y"] == ["&lt;b>F1&lt;/b> &amp; F2"] and trace["x"] == [1.0, None]
    assert trace["hovertemplate"] == "%{y}<extra></extra>"


def test_a_note_with_a_script_is_text_on_the_page(own_site: Site) -> None:
    client = own_site.as_(Role.ANALYST)
    token = form_token(client, f"/case?case={CASE}")
    assert client.post("/case/verdict", data={"csrf": token, "case": CASE, "verdict": "theft", "note": SCRIPT}).status_code == 303
    page = client.get(f"/case?case={CASE}").text
    assert SCRIPT not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_spreadsheets_run_nothing_of_a_csv_file(site: Site) -> None:
    text = site.as_(Role.OPERATOR).get("/plan/stack.csv").text
    assert "'=steam" in text and ",=steam" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/static/x/../app.py",
        "/static/x/..%2fapp.py",
        "/static/..%2f..%2fsettings.py/x",
        "/static/x/%2e%2e%2fapp.py",
        "/static/x//etc/passwd",
    ],
)
def test_no_path_leaves_the_folder_of_static_files(site: Site, path: str) -> None:
    answer = site.visitor().get(path)
    assert answer.status_code in (404, 308) and "import" not in answer.text


def test_a_forged_or_altered_cookie_is_nobody_s(site: Site) -> None:
    client = site.as_(Role.ADMIN)
    cookie = client.get_cookie("smartgrid")
    assert cookie is not None
    for forged in (
        "",
        "x",
        cookie.value[:-1] + ("a" if cookie.value[-1] != "a" else "b"),
        site.accounts.kept(cookie.value),
        "admin",
        "' OR 1=1 --",
    ):
        visitor = site.visitor()
        visitor.set_cookie("smartgrid", forged)
        assert visitor.get("/users").status_code == 303, forged


def test_a_cookie_from_before_log_out_is_worth_nothing(site: Site) -> None:
    client = site.as_(Role.ADMIN)
    cookie = client.get_cookie("smartgrid")
    assert cookie is not None
    assert client.post("/logout", data={"csrf": form_token(client, "/account")}).status_code == 303
    client.set_cookie("smartgrid", cookie.value)
    assert client.get("/users").status_code == 303


def test_another_session_s_form_token_is_refused(site: Site) -> None:
    mine, theirs = site.as_(Role.ADMIN), site.as_(Role.ADMIN)
    token = form_token(theirs, "/users")
    assert mine.post("/users", data={"csrf": token, "name": "eve", "role": "admin"}).status_code == 400
    assert site.accounts.user("eve") is None


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
def test_a_form_from_another_site_is_refused_even_with_the_token(site: Site, header: dict[str, str]) -> None:
    client = site.as_(Role.ADMIN)
    token = form_token(client, "/users")
    assert client.post("/users", data={"csrf": token, "name": "eve", "role": "admin"}, headers=header).status_code == 403
    assert client.post("/login", data={"csrf": token}, headers=header).status_code == 403
    assert site.accounts.user("eve") is None


def test_a_log_in_form_counts_only_with_its_own_cookie(site: Site) -> None:
    client, other = site.visitor(), site.visitor()
    token = form_token(client, "/login")
    fields = {"name": "viewer", "password": "correct horse battery", "csrf": token}
    assert other.post("/login", data=fields).status_code == 400
    assert client.post("/login", data=fields).status_code == 303


def test_roles_cannot_be_had_by_asking(site: Site) -> None:
    client = site.as_(Role.VIEWER)
    token = form_token(client, "/account")
    for address, data in (
        ("/users/change", {"name": "viewer", "what": "role", "role": "admin"}),
        ("/users", {"name": "x1", "role": "admin"}),
    ):
        assert client.post(address, data=data | {"csrf": token}).status_code == 403
    client.get("/tomorrow", headers={"X-Role": "admin"}, query_string={"role": "admin", "user": "admin"})
    assert site.accounts.user("viewer").role is Role.VIEWER


def test_whether_a_meter_or_a_case_is_there_cannot_be_found_out_by_those_who_may_not_see_it(site: Site) -> None:
    client = site.as_(Role.VIEWER)
    for address in ("/meter?meter={}", "/case?case={}", "/api/v1/meter/days?meter={}", "/meter/days.csv?meter={}"):
        answers = [client.get(address.format(name)) for name in (METER, CASE, "not-there")]
        assert {answer.status_code for answer in answers} == {403} and len({len(answer.text) for answer in answers}) == 1
    pages = [client.get(f"/search?q={name}").text for name in (METER, "M-9999")]
    assert pages[0].replace(METER, "M-9999") == pages[1]


def test_after_log_in_one_goes_to_a_page_of_ours(site: Site) -> None:
    for to in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\tevil",
        "http:evil",
        "/%0d%0aSet-Cookie:x",
    ):
        location = log_in(site.visitor(), "viewer", to=to).headers["Location"]
        assert location == "/" or (location.startswith("/%0d") and "\n" not in location), to
    assert log_in(site.visitor(), "viewer", to="/plan?day=2026-10-25").headers["Location"] == "/plan?day=2026-10-25"


def test_another_host_s_name_is_refused(site: Site) -> None:
    assert site.visitor().get("/login", headers={"Host": "evil.example"}).status_code == 400
    assert site.visitor().get("/login", headers={"Host": "localhost"}).status_code == 200


def test_a_large_body_is_refused(site: Site) -> None:
    client = site.visitor()
    assert client.post("/login", data={"name": "x" * (LARGEST_BODY + 1)}).status_code == 413
    assert client.post("/login", data=b"a=1&" * LARGEST_BODY, content_type="application/x-www-form-urlencoded").status_code == 413
    many = {f"f{n}": "x" for n in range(60)}
    assert client.post("/login", data=many, content_type="multipart/form-data").status_code in (400, 413)


def test_every_answer_forbids_scripts_frames_and_guessing_of_types(site: Site) -> None:
    client = site.as_(Role.ADMIN)
    for address in ("/tomorrow", "/login", "/nothing", "/users", "/api/v1/me", "/plan/stack.csv"):
        headers = client.get(address).headers
        assert (
            headers["Content-Security-Policy"] == POLICY
            and headers["X-Content-Type-Options"] == "nosniff"
            and headers["X-Frame-Options"] == "DENY"
        )
        assert "Strict-Transport-Security" not in headers
    assert "script-src 'self';" in POLICY and "frame-ancestors 'none'" in POLICY and "default-src 'none'" in POLICY


def test_no_page_names_another_host(site: Site) -> None:
    client = site.as_(Role.ADMIN)
    for address in ("/tomorrow", "/cases", "/plan", f"/case?case={CASE}", "/users", "/audit", "/account"):
        page = client.get(address).text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in page and "http://" not in page and "//cdn" not in page, address
        assert "<script>" not in page and " onclick=" not in page and "javascript:" not in page


def test_methods_that_nobody_serves_are_told_so(site: Site) -> None:
    client = site.as_(Role.ADMIN)
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        assert client.open("/tomorrow", method=method).status_code in (400, 405)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/login?next=//[", {}, 200),
        ("POST", "/login", {"Origin": "http://["}, 403),
        ("POST", "/login", {"Origin": "nonsense"}, 403),
        ("GET", "/tomorrow?as_of=0001-01-01T00:00Z", {}, 400),
        ("GET", "/tomorrow?as_of=0001-01-01T00:00", {}, 400),
    ],
    ids=["next", "origin", "no address", "early", "early, local"],
)
def test_odd_addresses_are_no_fault_of_ours(site: Site, method: str, path: str, headers: dict[str, str], status: int) -> None:
    client = site.as_(Role.VIEWER) if path.startswith("/tomorrow") else site.visitor()
    assert client.open(path, method=method, headers=headers).status_code == status


def test_no_text_of_a_database_error_reaches_the_log_or_the_visitor(own_site: Site, caplog: pytest.LogCaptureFixture) -> None:
    from smartgrid_assets_tests.web.made import CHANGE

    own_site.context.lake.file("anomalies/cases", CHANGE).write_bytes(b"PAR1 M-7777 is a meter PAR1")
    client = own_site.as_(Role.ANALYST)
    for path in ("/cases/to-visit.csv", "/cases/to-visit.parquet", "/api/v1/cases/to-visit", "/cases", f"/case?case={CASE}"):
        answer = client.get(path)
        assert answer.status_code in (200, 503) and "M-7777" not in answer.text, path
    assert (
        "cases" in caplog.text
        and "M-7777" not in caplog.text
        and str(own_site.context.lake.root) not in caplog.text
        and "Traceback" not in caplog.text
    )


def test_without_tls_nobody_is_served_where_tls_is_promised(own_site: Site) -> None:
    from smartgrid_assets_tests.web.made import site_of

    client = site_of(own_site.context, is_https=True).app.test_client()
    assert client.get("/login").status_code == 400 and client.get("/login", base_url="https://localhost").status_code == 200
    assert client.get("/healthz").status_code == 200 and client.get("/readyz").status_code == 200
