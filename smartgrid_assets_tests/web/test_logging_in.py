"""Users, log-in, sessions, the second factor, the first admin, and the audit log."""

from __future__ import annotations

import re
import sqlite3
import stat
from datetime import datetime, timedelta

import pyotp
import pytest

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources import audit
from smartgrid_assets.resources.accounts import FAILURES_OF_NAME, LOCKED_FOR, Accounts, Role
from smartgrid_assets.resources.sessions import ABSOLUTE, IDLE
from smartgrid_assets_tests.web.made import CASE, METER, NOW, PASSWORD, Site, form_token, log_in


def test_a_session_ends_when_nobody_used_it_and_when_it_is_old(own_site: Site) -> None:
    client = own_site.as_(Role.VIEWER)
    own_site.now[0] = NOW + IDLE - timedelta(minutes=1)
    assert client.get("/tomorrow").status_code == 200
    own_site.now[0] += IDLE + timedelta(minutes=1)
    assert client.get("/tomorrow").status_code == 303
    client, start = own_site.as_(Role.VIEWER), own_site.now[0]
    for n in range(1, 9):
        own_site.now[0] = start + n * timedelta(hours=1.6)
        status = client.get("/tomorrow").status_code
        assert status == (200 if own_site.now[0] - start <= ABSOLUTE else 303), n


def test_log_in_makes_a_new_session_and_the_one_before_it_ends(own_site: Site) -> None:
    client = own_site.as_(Role.VIEWER)
    before = client.get_cookie("smartgrid").value
    fields = {"name": "admin", "password": PASSWORD, "csrf": form_token(client, "/account")}
    assert client.post("/login", data=fields).status_code == 303
    assert client.get_cookie("smartgrid").value != before and client.get("/users").status_code == 200
    client.set_cookie("smartgrid", before)
    assert client.get("/tomorrow").status_code == 303


def test_cookies_are_for_this_host_and_no_script(own_site: Site) -> None:
    answer = log_in(own_site.visitor(), "viewer")
    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("smartgrid="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Secure" not in cookie


def test_behind_tls_cookies_are_secure_and_browsers_are_told_to_stay_there(own_site: Site) -> None:
    from smartgrid_assets_tests.web.made import site_of

    client = site_of(own_site.context, is_https=True).app.test_client()
    there = "https://localhost"
    page = client.get("/login", base_url=there)
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    answer = client.post("/login", data={"name": "viewer", "password": PASSWORD, "csrf": token}, base_url=there)
    assert answer.status_code == 303 and answer.headers["Strict-Transport-Security"].startswith("max-age=")
    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("__Host-smartgrid="))
    assert "Secure" in cookie and "Domain" not in cookie
    assert client.get("/tomorrow", base_url=there).status_code == 200
    assert client.get("/metrics", base_url="https://localhost").status_code == 403


def test_a_name_is_locked_after_five_failures_whether_it_is_there_or_not(own_site: Site) -> None:
    for name in ("viewer", "nobody"):
        client = own_site.visitor()
        said = [log_in(client, name, "wrong").status_code for _ in range(FAILURES_OF_NAME)]
        assert said == [401] * FAILURES_OF_NAME
        assert "Too many attempts" in log_in(client, name, PASSWORD).text
    assert log_in(own_site.visitor(), "admin").status_code == 303
    own_site.now[0] = NOW + LOCKED_FOR + timedelta(seconds=1)
    assert log_in(own_site.visitor(), "viewer").status_code == 303


def test_an_address_is_locked_after_twenty_failures(own_site: Site) -> None:
    for n in range(20):
        log_in(own_site.visitor(), f"guess{n}", "wrong")
    written = len(audit.lines(own_site.accounts))
    assert "Too many attempts" in log_in(own_site.visitor(), "admin").text
    assert len(audit.lines(own_site.accounts)) == written == 20  # whoever is locked out fills no log


def test_a_name_that_is_not_there_costs_the_same_work(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    right = Accounts._is_right
    monkeypatch.setattr(
        Accounts, "_is_right", staticmethod(lambda hashed, password: checked.append(hashed[:30]) or right(hashed, password))
    )
    told = [log_in(own_site.visitor(), name, "wrong password").text for name in ("viewer", "nobody")]
    assert len(checked) == 2 and checked[0] == checked[1]  # the same function with the same parameters
    assert told[0].count("Name, password or code is wrong.") == told[1].count("Name, password or code is wrong.") == 1


def test_passwords_are_kept_as_argon2id_and_weak_ones_are_refused(own_site: Site) -> None:
    with own_site.accounts.looking() as con:
        assert all(row["password"].startswith("$argon2id$") for row in con.execute("SELECT password FROM users"))
    for weak in ("short", "aaaaaaaaaaaaaa", "operator-operator", "x" * 2000):
        with pytest.raises(SettingsError):
            own_site.accounts.change_password("operator", weak)


def test_the_file_of_users_is_for_its_owner_alone_and_holds_no_token(own_site: Site) -> None:
    client = own_site.as_(Role.VIEWER)
    token = own_site.accounts.new_token("viewer", "", NOW)
    file = own_site.accounts.folder / "accounts.sqlite"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE((own_site.accounts.folder / "secret").stat().st_mode) == 0o600
    with sqlite3.connect(file) as con:
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = file.read_bytes()
    assert client.get_cookie("smartgrid").value.encode() not in held and token.encode() not in held and PASSWORD.encode() not in held


def test_a_second_factor_is_asked_for_and_a_code_counts_once(own_site: Site) -> None:
    secret = pyotp.random_base32()
    own_site.accounts.set_totp("analyst", secret)
    moment = int((own_site.now[0] - datetime(1970, 1, 1)).total_seconds())
    code = pyotp.TOTP(secret).at(moment)
    assert log_in(own_site.visitor(), "analyst").status_code == 401
    assert log_in(own_site.visitor(), "analyst", code="000000" if code != "000000" else "111111").status_code == 401
    assert log_in(own_site.visitor(), "analyst", code=code).status_code == 303
    assert log_in(own_site.visitor(), "analyst", code=code).status_code == 401


def test_a_second_factor_is_set_on_the_own_page_with_the_password_and_a_code(own_site: Site) -> None:
    client = own_site.as_(Role.VIEWER)
    secret = pyotp.random_base32()
    moment = int((own_site.now[0] - datetime(1970, 1, 1)).total_seconds())
    fields = {"csrf": form_token(client, "/account"), "secret": secret, "new_code": pyotp.TOTP(secret).at(moment)}
    assert client.post("/account/second-factor", data=fields | {"current": "wrong"}).status_code == 400
    assert client.post("/account/second-factor", data=fields | {"current": PASSWORD, "new_code": "12"}).status_code == 400
    assert client.post("/account/second-factor", data=fields | {"current": PASSWORD}).status_code == 303
    assert own_site.accounts.user("viewer").has_totp


def test_a_new_password_ends_all_sessions_but_the_one_that_set_it(own_site: Site) -> None:
    mine, other = own_site.as_(Role.VIEWER), own_site.as_(Role.VIEWER)
    fields = {"csrf": form_token(mine, "/account"), "current": PASSWORD, "password": "another long secret", "again": "another long secret"}
    assert mine.post("/account/password", data=fields | {"again": "different"}).status_code == 400
    assert mine.post("/account/password", data=fields).status_code == 303
    assert mine.get("/tomorrow").status_code == 200 and other.get("/tomorrow").status_code == 303
    assert log_in(own_site.visitor(), "viewer").status_code == 401


def test_a_user_who_is_disabled_is_out_at_once(own_site: Site) -> None:
    client, token = own_site.as_(Role.OPERATOR), own_site.accounts.new_token("operator", "", NOW)
    own_site.accounts.disable("operator")
    assert client.get("/plan").status_code == 303 and log_in(own_site.visitor(), "operator").status_code == 401
    assert own_site.visitor().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    with pytest.raises(SettingsError, match="last admin"):
        own_site.accounts.disable("admin")
    with pytest.raises(SettingsError, match="last admin"):
        own_site.accounts.change_role("admin", Role.VIEWER)


def test_admins_add_users_whose_first_password_is_shown_once(own_site: Site) -> None:
    client = own_site.as_(Role.ADMIN)
    page = client.post("/users", data={"csrf": form_token(client, "/users"), "name": "new.one", "role": "operator"}).text
    password = re.search(r'<code class="secret">([^<]+)</code>', page)[1]
    assert password not in client.get("/users").text
    assert log_in(own_site.visitor(), "new.one", password).status_code == 303


def test_the_first_admin_is_made_by_a_link_that_counts_once_and_for_an_hour(tmp_path, own_site: Site) -> None:
    from smartgrid_assets.web.app import create_app
    from smartgrid_assets.web.options import Options

    accounts, now = Accounts(tmp_path / "web"), [NOW]
    app = create_app(own_site.context, accounts, Options("127.0.0.1", 8080, "", ("localhost",), False, ""), lambda: now[0])
    token = accounts.begin_set_up(NOW)
    client = app.test_client()
    assert "There is no user yet" in client.get("/login").text
    assert client.get(f"/setup/{token}x").status_code == 404
    now[0] = NOW + timedelta(minutes=61)
    assert client.get(f"/setup/{token}").status_code == 404
    now[0] = NOW
    fields = {"csrf": form_token(client, f"/setup/{token}"), "name": "ada", "password": "short"}
    assert "12 to 1024 characters" in client.post(f"/setup/{token}", data=fields).text
    fields |= {"csrf": form_token(client, f"/setup/{token}"), "password": PASSWORD}
    assert client.post(f"/setup/{token}", data=fields).status_code == 303 and client.get("/users").status_code == 200
    assert app.test_client().get(f"/setup/{token}").status_code == 404 and accounts.begin_set_up(NOW) is None


def test_the_audit_log_says_who_saw_a_meter_and_who_decided_without_naming_the_meter(own_site: Site) -> None:
    client = own_site.as_(Role.ANALYST)
    client.get(f"/meter?meter={METER}")
    client.get(f"/case/story.csv?case={CASE}")
    client.post("/case/verdict", data={"csrf": form_token(client, f"/case?case={CASE}"), "case": CASE, "verdict": "fine", "note": ""})
    lines = [(line.who, line.what, line.about) for line in audit.lines(own_site.accounts)]
    assert ("analyst", "saw meter", audit.of_meter(own_site.accounts, METER)) in lines
    assert ("analyst", "saw case, story.csv", f"case {CASE}") in lines and ("analyst", "gave the verdict fine", f"case {CASE}") in lines
    assert not any(METER in part for line in lines for part in line)
    assert "Every line follows" in own_site.as_(Role.ADMIN).get("/audit").text


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET who = 'eve' WHERE n = 2",
        "DELETE FROM audit WHERE n = 2",
        "UPDATE audit SET n = 99 WHERE n = 3",
        "UPDATE audit SET at = '2000-01-01' WHERE n = 1",
    ],
)
def test_a_line_that_is_changed_or_taken_out_of_the_audit_log_is_found(tmp_path, change: str) -> None:
    accounts = Accounts(tmp_path)
    for n in range(4):
        audit.note(accounts, "ada", "did", f"thing {n}", NOW)
    assert audit.broken_at(accounts) is None
    with accounts.store() as con:
        con.execute(change)
    assert audit.broken_at(accounts) in (1, 2, 3)


def test_a_verdict_is_given_in_two_clicks_undone_and_kept_as_history(own_site: Site) -> None:
    client = own_site.as_(Role.ANALYST)
    for word in ("theft", "withdraw"):
        data = {"csrf": form_token(client, f"/case?case={CASE}"), "case": CASE, "verdict": word, "note": "a wire behind the meter"}
        assert client.post("/case/verdict", data=data).headers["Location"] == f"/case?case={CASE}#verdicts"
        own_site.now[0] += timedelta(minutes=1)
    rows = client.get(f"/api/v1/case/verdicts?case={CASE}").json["rows"]
    assert [(row["who"], row["verdict"]) for row in rows] == [("analyst", "withdraw"), ("analyst", "theft")]
    token = form_token(client, f"/case?case={CASE}")
    assert client.post("/case/verdict", data={"csrf": token, "case": CASE, "verdict": "guilty"}).status_code == 400
    assert client.post("/case/verdict", data={"csrf": token, "case": "no-such", "verdict": "fine"}).status_code == 400
