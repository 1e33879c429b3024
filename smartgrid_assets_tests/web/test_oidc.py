"""Log-in by an identity provider: what is proven opens a session, what is not opens nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from flask.testing import FlaskClient

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources import audit, tokens
from smartgrid_assets.resources.accounts import FAILURES_OF_ADDRESS, Role
from smartgrid_assets.settings import Settings
from smartgrid_assets.web import oidc
from smartgrid_assets.web.oidc import SILENT
from smartgrid_assets.web.provider import provider_of
from smartgrid_assets_tests.web.id_provider import CLIENT, SECRET, IdProvider
from smartgrid_assets_tests.web.made import NOW, PASSWORD, Site, log_in, site_of

UNPROVEN = "could not be proven"


@pytest.fixture
def provider() -> Iterator[IdProvider]:
    with IdProvider().running() as running:
        yield running


def joined(site: Site, provider: IdProvider, **more: str) -> Site:
    """The site as it is with that provider in its settings."""
    chosen = Settings(oidc_issuer=provider.address, oidc_client_id=CLIENT, oidc_client_secret=SECRET, **more)
    return site_of(site.context, provider=provider_of(chosen))


def begin(client: FlaskClient, to: str = "/plan") -> str:
    """Click the button; the address at the provider that the browser is sent to."""
    answer = client.get(f"/login/provider?next={to}")
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def back_from(address: str) -> str:
    """What the provider sends the browser back to, without host."""

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        build_opener(Stay).open(address)
    except Exception as error:
        found = urlsplit(error.headers["Location"])  # type: ignore[attr-defined]
        return f"{found.path}?{found.query}"
    raise AssertionError("it did not send the browser back")


def through(client: FlaskClient, to: str = "/plan") -> Any:
    """The whole way, there and back."""
    return client.get(back_from(begin(client, to)))


def test_who_logs_in_there_is_here_with_the_role_of_the_group(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider)
    client = site.visitor()
    assert "/login/provider?next=/plan" in client.get("/login?next=/plan").text
    answer = through(client)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/plan")
    assert client.get("/plan").status_code == 200 and client.get("/cases").status_code == 403
    user = site.accounts.user("grace")
    assert user and user.role == Role.OPERATOR and user.is_federated
    assert any(line.who == "grace" and "by the provider as operator" in line.what for line in audit.lines(site.accounts))
    assert "changed there" in client.get("/account").text


def test_the_role_is_that_of_the_newest_log_in(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider)
    client, other = site.visitor(), site.visitor()
    through(client), through(other)
    token = tokens.make(site.accounts, "grace", "", NOW)
    provider.claims["groups"] = ["viewer", "analyst", "of no meaning here"]
    through(other)
    assert other.get("/cases").status_code == 200 and client.get("/plan").status_code == 303  # the older session is over
    provider.claims["groups"] = []
    answer = through(site.visitor())
    assert answer.status_code == 401 and "gives you no role here" in answer.text
    assert other.get("/tomorrow").status_code == 303 and tokens.owner(site.accounts, token, NOW) is None


def test_groups_may_be_told_apart_from_the_token(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider, oidc_role_claim="realm_access.roles", oidc_roles="cn=grid,dc=x=admin; ops=operator")
    provider.userinfo = {"sub": "u-1", "realm_access": {"roles": ["cn=grid,dc=x", "ops"]}}
    client = site.visitor()
    assert through(client).status_code == 303 and client.get("/users").status_code == 200
    provider.userinfo["sub"] = "somebody else"
    assert "two things of who you are" in through(site.visitor()).text


LIES: dict[str, tuple[Callable[[IdProvider], Any], str, int]] = {
    "another signature": (lambda p: p.lies.update(key=IdProvider().key), UNPROVEN, 401),
    "no signature": (lambda p: p.lies.update(alg="none"), UNPROVEN, 401),
    "signed with the public key as a secret": (lambda p: p.lies.update(alg="HS256"), UNPROVEN, 401),
    "another nonce": (lambda p: p.lies.update(claims={"nonce": "of yesterday"}), UNPROVEN, 401),
    "no nonce": (lambda p: p.lies.update(claims={"nonce": None}), UNPROVEN, 401),
    "for another client": (lambda p: p.lies.update(claims={"aud": "other"}), UNPROVEN, 401),
    "for another client, passed on by ours": (lambda p: p.lies.update(claims={"aud": "other", "azp": CLIENT}), UNPROVEN, 401),
    "of another issuer": (lambda p: p.lies.update(claims={"iss": "https://evil.example"}), UNPROVEN, 401),
    "too old": (lambda p: p.lies.update(claims={"exp": 1_000_000_000, "iat": 999_999_000}), UNPROVEN, 401),
    "no end": (lambda p: p.lies.update(claims={"exp": None}), UNPROVEN, 401),
    "no subject": (lambda p: p.lies.update(claims={"sub": None}), UNPROVEN, 401),
    "no id token": (lambda p: p.lies.update(token_has={"id_token": None}), "did not say who you are", 401),
    "a token that is none": (lambda p: p.lies.update(token_has={"id_token": "x.y.z"}), UNPROVEN, 401),
    "a token that is no text": (lambda p: p.lies.update(token_has={"id_token": 7}), UNPROVEN, 401),
    "a name that is none": (lambda p: p.claims.update(preferred_username="<b>grace</b>"), "is no name for a user", 401),
    "a name that is a list": (lambda p: p.claims.update(preferred_username=["grace"]), "is no name for a user", 401),
    "groups that are none": (lambda p: p.claims.update(groups={"operator": True}), "gives you no role", 401),
    "the name of somebody here": (lambda p: p.claims.update(preferred_username="Admin"), "a name alone proves nothing", 401),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_proven_opens_nothing(site: Site, provider: IdProvider, lie: str) -> None:
    tell, sentence, status = LIES[lie]
    tell(provider)
    site = joined(site, provider)
    with site.accounts.store() as con:
        con.execute("DELETE FROM failures")  # of the lies before
    client = site.visitor()
    before = len(site.accounts.users())
    answer = through(client)
    assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
    assert client.get("/tomorrow").status_code == 303 and len(site.accounts.users()) == before
    assert "<b>" not in answer.text
    assert audit.lines(site.accounts, 1)[0].what == "was refused at log-in by the provider"


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider)
    client, thief = site.visitor(), site.visitor()
    answer = back_from(begin(client))
    stolen = thief.get(answer)
    assert stolen.status_code == 401 and "begun in another browser" in stolen.text and "token" not in provider.asked
    begin(thief)
    assert thief.get(answer).status_code == 401 and "token" not in provider.asked
    assert client.get(answer).status_code == 303
    assert client.get(answer).status_code == 401 and provider.asked.count("token") == 1


def test_the_provider_may_refuse_and_its_words_are_not_shown(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider)
    provider.lies["error"] = "access_denied"
    assert "refused: access_denied." in through(site.visitor()).text
    provider.lies["error"] = "<script>alert(1)</script>"
    assert "refused: it did not say why." in through(site.visitor()).text


def test_after_log_in_one_goes_to_a_page_of_ours(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider)
    assert through(site.visitor(), "//evil.example/").headers["Location"] == "/"


def test_a_provider_that_is_down_or_another_is_a_sentence_and_passwords_go_on(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider)
    for lie in (
        {"metadata": "no json"},
        {"metadata": []},
        {"metadata_has": {"issuer": "https://evil.example"}},
        {"metadata_has": {"authorization_endpoint": None}},
    ):
        provider.lies = lie
        answer = joined(own_site, provider).visitor().get("/login/provider")
        assert (answer.status_code, SILENT in answer.text) == (503, True), lie
    provider.lies = {}
    assert through(site.visitor()).status_code == 303
    away = IdProvider(address="http://127.0.0.1:9")
    client = joined(own_site, away).visitor()
    assert client.get("/login/provider").status_code == 503
    assert log_in(client, "viewer").status_code == 303


def test_a_provider_that_did_not_answer_is_not_asked_again_at_once(
    own_site: Site, provider: IdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = joined(own_site, provider).visitor()
    provider.lies = {"metadata": "no json"}
    assert [client.get("/login/provider").status_code for _ in range(3)] == [503] * 3 and provider.asked == ["metadata"]
    provider.lies = {}
    assert client.get("/login/provider").status_code == 503
    monkeypatch.setattr(oidc, "NOT_AGAIN_S", 0.0)
    assert through(client).status_code == 303


def test_a_new_key_of_the_provider_is_learned(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider)
    assert through(site.visitor()).status_code == 303
    provider.rotate()
    assert through(site.visitor()).status_code == 303


def test_who_is_disabled_here_stays_out(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider)
    client = site.visitor()
    through(client)
    site.accounts.disable("grace")
    assert client.get("/tomorrow").status_code == 303
    assert "You are disabled here" in through(site.visitor()).text


def test_there_is_no_second_door_beside_the_provider(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider)
    client = site.visitor()
    through(client)
    for change in (
        lambda: site.accounts.change_password("grace", PASSWORD),
        lambda: site.accounts.change_role("grace", Role.ADMIN),
    ):
        with pytest.raises(SettingsError, match="change it there"):
            change()
    assert log_in(site.visitor(), "grace", "").status_code == 401
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/account").text)
    assert found
    fields = {"csrf": found[1], "current": "", "password": "a wholly new one 1", "again": "a wholly new one 1"}
    assert client.post("/account/password", data=fields).status_code == 400
    assert client.post("/account/second-factor", data={"csrf": found[1], "current": ""}).status_code == 400


def test_many_answers_that_prove_nothing_lock_the_address(own_site: Site, provider: IdProvider) -> None:
    site = joined(own_site, provider)
    client = site.visitor()
    said = [client.get("/login/provider/back?code=x&state=y").text for _ in range(FAILURES_OF_ADDRESS + 1)]
    assert "Too many attempts" in said[-1] and "Too many attempts" not in said[-2]


def test_the_state_of_a_log_in_is_for_this_host_and_no_script(own_site: Site, provider: IdProvider) -> None:
    answer = joined(own_site, provider).visitor().get("/login/provider")
    (cookie,) = (one for one in answer.headers.getlist("Set-Cookie") if "provider" in one)
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    sent = dict(pair.split("=") for pair in urlsplit(answer.headers["Location"]).query.split("&"))
    assert sent["code_challenge_method"] == "S256" and len(sent["nonce"]) >= 20 and SECRET.split()[0] not in sent


@pytest.mark.parametrize(
    ("issuer", "more", "sentence"),
    [
        ("http://id.example.com", {}, "begins with https"),
        ("https://id.example.com/?x=1", {}, "write it as the provider does"),
        ("https://id.example.com", {"oidc_client_secret": ""}, "SMARTGRID_OIDC_CLIENT_SECRET"),
        ("https://id.example.com", {"oidc_scope": "profile"}, "holds the word openid"),
        ("https://id.example.com", {"oidc_roles": "ops"}, "group=role"),
        ("https://id.example.com", {"oidc_roles": "ops=king"}, "is no role"),
    ],
)
def test_settings_of_the_provider_that_make_no_sense_are_said(issuer: str, more: dict[str, str], sentence: str) -> None:
    given = {"oidc_issuer": issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET} | more
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        provider_of(Settings(**given))
