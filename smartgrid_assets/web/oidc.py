"""Log-in by an identity provider: OpenID Connect's authorization code flow with PKCE, state and nonce, by Authlib.

The flow's state lies in a signed cookie of this host that lives as long as the browser's window; what comes of it is a session like any
other. The provider's word counts when its signature, issuer, audience, time and nonce are right, and for the role of this log-in alone.
Source: OpenID Connect Core 1.0; RFC 7636; RFC 9700 (OAuth 2.0 Security Best Current Practice).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Flask, abort, request, session

from smartgrid_assets.resources import audit
from smartgrid_assets.resources.accounts import Locked, Refused
from smartgrid_assets.resources.federated import Vouched, welcome
from smartgrid_assets.web import access
from smartgrid_assets.web.access import EVERYONE, needs
from smartgrid_assets.web.login import begin_session, form_page
from smartgrid_assets.web.provider import Provider, claim

if TYPE_CHECKING:
    from smartgrid_assets.web.app import Web

LOG = logging.getLogger(__name__)
CALLBACK = "/login/provider/back"
WAIT_S = 5.0
NOT_AGAIN_S, FAILED = 10.0, "_failed_at"
"""A provider that did not answer is not asked again at once: whoever clicks would hold a thread for as long as that takes."""
SIGNED_BY = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
"""Never `none`, nor a signature by a secret that we share."""
SILENT = "The identity provider does not answer as it should; try again, or log in with a password."


class Silent(Exception):
    """The provider could not be asked."""


def register(app: Flask, web: Web) -> None:
    """Routes of the flow; without a provider they are not there."""
    provider = web.options.provider
    client = _client(app, web, provider) if provider else None

    @app.get("/login/provider")
    @needs(EVERYONE)
    def to_provider() -> Any:
        if client is None or provider is None:
            abort(404)
        to = access.safe_next(request.args.get("next", "/"))
        try:
            _known(client, provider)
            session.clear()
            session["next"] = to
            return client.authorize_redirect(f"{web.options.url}{CALLBACK}")
        except Exception as error:
            return _refused(web, _sentence(error), to)

    @app.get(CALLBACK)
    @needs(EVERYONE)
    def from_provider() -> Any:
        if client is None or provider is None:
            abort(404)
        to, address = access.safe_next(session.get("next", "/")), request.remote_addr or "unknown"
        try:
            attempt = web.accounts.attempt(web.now(), address)
            user = welcome(web.accounts, _vouched(client, provider), web.now())
        except Locked as error:
            return _refused(web, str(error), to)
        except Exception as error:
            sentence = _sentence(error)
            audit.note(web.accounts, "(no name)", "was refused at log-in by the provider", f"from {address}", web.now())
            return _refused(web, sentence, to)
        finally:
            session.clear()
        web.accounts.forget(attempt)
        audit.note(web.accounts, user.name, f"logged in by the provider as {user.role.word}", f"from {address}", web.now())
        return begin_session(web, user.name, to)


def _client(app: Flask, web: Web, provider: Provider) -> Any:
    from authlib.integrations.flask_client import OAuth

    app.secret_key = web.accounts.kept("state of log-ins by the provider")
    name = f"{access.cookie_name(web.options.is_https)}_provider"
    app.config.update(
        SESSION_COOKIE_NAME=name,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=web.options.is_https,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )
    return OAuth(app).register(
        "provider",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": provider.scope, "code_challenge_method": "S256", "default_timeout": WAIT_S},
    )


def _known(client: Any, provider: Provider) -> dict[str, Any]:
    """What the provider says of itself. Raises Silent where that is another's, or does not come."""
    failed = client.server_metadata.get(FAILED)
    if failed is not None and time.monotonic() - failed < NOT_AGAIN_S:
        raise Silent
    try:
        with _asking():
            said: dict[str, Any] = client.load_server_metadata()
        if said.get("issuer") != provider.issuer:
            raise Silent
    except Silent:
        client.server_metadata.pop("_loaded_at", None)  # asked for again at a later log-in
        client.server_metadata[FAILED] = time.monotonic()
        raise
    offered = said.get("id_token_signing_alg_values_supported") or ["RS256"]
    said["id_token_signing_alg_values_supported"] = sorted(SIGNED_BY.intersection(offered))
    return said


def _vouched(client: Any, provider: Provider) -> Vouched:
    """What the provider says of who comes back from it, proven. Raises Refused, Silent, or an error of Authlib or joserfc."""
    known = _known(client, provider)
    must = {"iss": {"essential": True, "value": provider.issuer}, "aud": {"essential": True, "value": provider.client_id}}
    with _asking():
        token = client.authorize_access_token(claims_options=must)
        said = dict(token.get("userinfo") or {})
    if not said.get("sub"):
        raise Refused("The identity provider did not say who you are.")
    if claim(said, provider.role_claim) is None and known.get("userinfo_endpoint"):
        with _asking():
            # Without its end: of a token that lives for a minute Authlib would ask for the next one.
            more = dict(client.userinfo(token={"access_token": token["access_token"], "token_type": "Bearer"}))
        if more.get("sub") != said["sub"]:
            raise Refused("The identity provider said two things of who you are.")
        said = more | said
    name = claim(said, provider.name_claim)
    return Vouched(provider.issuer, str(said["sub"]), name if isinstance(name, str) else "", provider.role(said))


@contextmanager
def _asking() -> Iterator[None]:
    """The provider is asked: no answer, and one that is no such answer, are Silent. What is not proven goes on as it is."""
    import requests

    try:
        yield
    except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Silent from error


def _sentence(error: Exception) -> str:
    """What the visitor is told; what else there is goes into the log, without what the provider sent."""
    from authlib.common.errors import AuthlibBaseError
    from authlib.integrations.base_client import MismatchingStateError
    from joserfc.errors import JoseError

    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, MismatchingStateError):
        return "This log-in is too old, or was begun in another browser; begin again."
    if isinstance(error, AuthlibBaseError) and request.args.get("error"):
        code = str(request.args["error"])
        return (
            f"The identity provider refused: {code if code.isascii() and code.isidentifier() and len(code) < 40 else 'it did not say why'}."
        )
    LOG.warning("log-in by the provider: %s", type(error).__name__)
    if isinstance(error, JoseError):
        return "What the identity provider said of you could not be proven; tell the administrator."
    if isinstance(error, Silent | AuthlibBaseError | RuntimeError):
        return SILENT
    raise error


def _refused(web: Web, sentence: str, to: str) -> Any:
    return form_page(web, "login.html", 503 if sentence == SILENT else 401, next=to, sentence=sentence, has_users=True)
