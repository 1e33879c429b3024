"""Users, log-in, sessions, the second factor, the first admin, and the audit log."""

from __future__ import annotations

import re
import sqlite3
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pyotp
import pytest

from smartgrid_assets.domain.errors import LakeWriteError, SettingsError
from smartgrid_assets.resources import audit, tokens
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
    token = tokens.make(own_site.accounts, "viewer", "", NOW)
    file = own_site.accounts.folder / "accounts.sqlite"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE((own_site.accounts.folder / "secret").stat().st_mode) == 0o600
    with sqlite3.connect(file) as con:
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = file.read_bytes()
    assert client.get_cookie("smartgrid").value.encode() not in held and token.encode() not in held and PASSWORD.encode() not in held


def test_a_second_factor_is_asked_for_and_a_code_counts_once(own_site: Site) -> None:
    secret = pyotp.random_base32()
    with own_site.accounts.store() as con:
        con.execute("UPDATE users SET totp = ? WHERE name = 'analyst'", [secret])
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
    client, token = own_site.as_(Role.OPERATOR), tokens.make(own_site.accounts, "operator", "", NOW)
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
    assert log_in(own_site.visitor(), "new.one", password).status_code == 303 and own_site.accounts.user("new.one").must_change


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


def at_once(calls: list[Callable[[], object]]) -> list[object]:
    """What calls gave that began together; an error stands for itself."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        gate.wait()
        try:
            return call()
        except SettingsError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return [done.result() for done in [pool.submit(run, call) for call in calls]]


@pytest.mark.parametrize("code", ["é", "１２３４５６", "\U0001f600", "x" * 60_000])
def test_an_odd_code_is_a_wrong_code_and_counts_as_a_failure(own_site: Site, code: str) -> None:
    with own_site.accounts.store() as con:
        con.execute("UPDATE users SET totp = ? WHERE name = 'analyst'", [pyotp.random_base32()])
    said = [log_in(own_site.visitor(), "analyst", password, code=code).status_code for password in [PASSWORD, "wrong password"] * 3]
    assert said == [401] * 6 and "Too many attempts" in log_in(own_site.visitor(), "analyst").text


def test_a_form_token_of_any_letters_is_refused_without_a_fault(own_site: Site) -> None:
    client = own_site.visitor()
    client.get("/login")
    assert client.post("/login", data={"csrf": "é", "name": "viewer", "password": PASSWORD}).status_code == 400
    assert own_site.as_(Role.VIEWER).post("/logout", data={"csrf": "é"}).status_code == 400


def test_of_two_log_ins_at_once_with_one_code_one_succeeds(own_site: Site) -> None:
    secret = pyotp.random_base32()
    with own_site.accounts.store() as con:
        con.execute("UPDATE users SET totp = ? WHERE name = 'analyst'", [secret])
    code = pyotp.TOTP(secret).at(int((NOW - datetime(1970, 1, 1)).total_seconds()))
    told = at_once([lambda: own_site.accounts.log_in("analyst", PASSWORD, code, "127.0.0.1", NOW)] * 2)
    assert sum(not isinstance(one, SettingsError) for one in told) == 1


def test_many_attempts_at_once_are_no_more_than_one_after_the_other(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(Accounts, "_is_right", staticmethod(lambda hashed, password: looked.append(1) or False))
    told = at_once([lambda: own_site.accounts.log_in("viewer", "wrong", "", "127.0.0.1", NOW)] * 16)
    assert len(looked) == FAILURES_OF_NAME and len(told) == 16


def test_the_set_up_link_makes_one_admin_however_many_use_it_at_once(tmp_path) -> None:
    accounts = Accounts(tmp_path / "web")
    token = accounts.begin_set_up(NOW)
    told = at_once([lambda n=n: accounts.set_up(token, f"ada{n}", PASSWORD, NOW) for n in range(3)])
    assert sum(not isinstance(one, SettingsError) for one in told) == 1 and len(accounts.users()) == 1


def test_two_admins_who_disable_each_other_at_once_do_not_both_succeed(own_site: Site) -> None:
    own_site.accounts.add("second", Role.ADMIN, PASSWORD, NOW)
    told = at_once([lambda: own_site.accounts.disable("admin"), lambda: own_site.accounts.disable("second")])
    assert sum(isinstance(one, SettingsError) for one in told) == 1
    assert sum(user.role is Role.ADMIN and not user.is_disabled for user in own_site.accounts.users()) == 1


def test_the_code_that_set_the_second_factor_counts_no_more(own_site: Site) -> None:
    secret = pyotp.random_base32()
    code = pyotp.TOTP(secret).at(int((NOW - datetime(1970, 1, 1)).total_seconds()))
    own_site.accounts.enrol("viewer", secret, code, NOW)
    assert log_in(own_site.visitor(), "viewer", code=code).status_code == 401


def test_ipv6_addresses_of_one_customer_count_as_one(own_site: Site) -> None:
    def attempt(n: int) -> str:
        with pytest.raises(SettingsError) as refused:
            own_site.accounts.log_in(f"guess{n}", "wrong", "", f"2001:db8:1:2::{n:x}", NOW)
        return str(refused.value)

    said = [attempt(n) for n in range(1, 22)]
    assert "Too many" not in said[19] and "Too many" in said[20]


def test_who_waits_long_for_a_hash_is_told_so_and_has_not_failed(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smartgrid_assets.resources.accounts.WAIT_FOR_HASH_S", 0.01)
    free = threading.Semaphore(0)
    monkeypatch.setattr("smartgrid_assets.resources.accounts._FREE", free)
    answer = log_in(own_site.visitor(), "viewer")
    assert answer.status_code == 503 and "Many log in just now" in answer.text
    with own_site.accounts.looking() as con:
        assert con.execute("SELECT count(*) FROM failures").fetchone()[0] == 0


def test_a_name_that_is_none_is_not_written_into_the_log(own_site: Site) -> None:
    log_in(own_site.visitor(), "x\n999  2026-10-26  admin  added a user as admin\x1b[2K", "wrong")
    assert [line.who for line in audit.lines(own_site.accounts)] == ["(no name)"]


def test_searching_for_meters_is_written_down(own_site: Site) -> None:
    own_site.as_(Role.ANALYST).get("/search/meters.csv?q=M-20")
    own_site.as_(Role.VIEWER).get("/search?q=M-20")
    found = [(line.who, line.what) for line in audit.lines(own_site.accounts) if line.what.startswith("saw")]
    assert found == [("analyst", "saw search, meters.csv")]


def test_a_secret_that_is_cut_short_is_refused_and_none_is_half_written(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "secret").touch()
    with pytest.raises(LakeWriteError, match="cut short"):
        _ = Accounts(tmp_path / "web").key
    monkeypatch.setattr("smartgrid_assets.resources.accounts.os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        _ = Accounts(tmp_path / "other").key
    assert not (tmp_path / "other" / "secret").exists()


def test_processes_that_start_at_once_have_one_secret(tmp_path) -> None:
    keys = at_once([lambda: Accounts(tmp_path / "web").key for _ in range(6)])
    assert len(set(keys)) == 1


def test_under_another_secret_the_log_says_what_it_cannot_check_and_is_not_called_forged(tmp_path) -> None:
    audit.note(Accounts(tmp_path), "ada", "did", "a thing", NOW)
    other = Accounts(tmp_path, "x" * 40)
    audit.note(other, "ada", "did", "another", NOW)
    is_whole, said = audit.verdict(other)
    assert is_whole and said.startswith("1 line(s) were made under another SMARTGRID_WEB_SECRET")
    with other.store() as con:
        con.execute("UPDATE audit SET about = 'forged' WHERE n = 2")
    assert not audit.verdict(other)[0]


def test_a_new_password_ends_the_tokens_of_programs_too(own_site: Site) -> None:
    token = tokens.make(own_site.accounts, "viewer", "", NOW)
    own_site.accounts.change_password("viewer", "quite another secret")
    assert tokens.owner(own_site.accounts, token, NOW) is None


def test_a_user_of_one_letter_can_be_added(own_site: Site) -> None:
    for name in "abcdefgh":
        assert name not in own_site.accounts.add_with_password(name, Role.VIEWER, NOW).lower()


def test_a_password_that_an_admin_knows_opens_nothing_but_the_page_that_changes_it(own_site: Site) -> None:
    password = own_site.accounts.add_with_password("newcomer", Role.OPERATOR, NOW)
    client = own_site.visitor()
    log_in(client, "newcomer", password)
    assert client.get("/plan").headers["Location"] == "/account" and client.get("/api/v1/me").status_code == 403
    assert "Somebody else knows your password" in client.get("/account").text
    fields = {"csrf": form_token(client, "/account"), "current": password, "password": "one of my own", "again": "one of my own"}
    assert client.post("/account/password", data=fields).status_code == 303 and client.get("/plan").status_code == 200


def test_a_file_of_users_from_before_is_taken_as_it_is(tmp_path) -> None:
    accounts = Accounts(tmp_path / "web")
    accounts.add("ada", Role.ADMIN, PASSWORD, NOW)
    audit.note(accounts, "ada", "did", "a thing", NOW)
    with accounts.store() as con:
        con.execute("ALTER TABLE users DROP COLUMN must_change")
        con.execute("ALTER TABLE audit DROP COLUMN key")
    again = Accounts(tmp_path / "web")
    assert again.log_in("ada", PASSWORD, "", "127.0.0.1", NOW).role is Role.ADMIN
    audit.note(again, "ada", "did", "another", NOW)
    assert audit.verdict(again)[1].startswith("1 line(s)")


def test_a_token_ends_with_its_last_day_and_one_from_before_after_a_year(own_site: Site) -> None:
    accounts = own_site.accounts
    short, old = tokens.make(accounts, "viewer", "", NOW, days=2), tokens.make(accounts, "viewer", "", NOW)
    with accounts.store() as con:
        con.execute("UPDATE tokens SET until = NULL WHERE token = ?", [accounts.kept(old)])

    def counts(token: str, days: float) -> bool:
        return tokens.owner(accounts, token, NOW + timedelta(days=days)) is not None

    assert (counts(short, 1.9), counts(short, 2.1), counts(old, 365), counts(old, 367)) == (True, False, True, False)
    own_site.now[0] = NOW + timedelta(days=2.1)
    assert own_site.visitor().get("/api/v1/me", headers={"Authorization": f"Bearer {short}"}).status_code == 401
    with pytest.raises(SettingsError, match="1 to 366 days"):
        tokens.make(accounts, "viewer", "", NOW, days=367)
