"""A small OpenID Connect provider on loopback, honest by default, that tells lies when a test asks for them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Flask, jsonify, redirect, request

from smartgrid_assets_tests.web.loopback import on_loopback

CLIENT, SECRET = "smartgrid", "a secret of the provider's"


@dataclass
class IdProvider:
    """claims: of who logs in. lies: what is said otherwise than it is; see each use. asked: paths that were asked for, in order."""

    address: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1", "preferred_username": "grace", "groups": ["operator"]})
    userinfo: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from joserfc.jwk import RSAKey

        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.published = self.key

    def rotate(self) -> None:
        """Another key from now on, which a client has not seen."""
        from joserfc.jwk import RSAKey

        self.key = self.published = RSAKey.generate_key(2048, {"kid": "two"})

    def metadata(self) -> Any:
        """The discovery document."""
        self.asked.append("metadata")
        if "metadata" in self.lies:
            return self.lies["metadata"]
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        } | self.lies.get("metadata_has", {})

    def authorize(self) -> Any:
        """The person agrees at once."""
        given = request.args
        if "error" in self.lies:
            return redirect(f"{given['redirect_uri']}?{urlencode({'error': self.lies['error'], 'state': given['state']})}")
        code = secrets.token_urlsafe(16)
        self.codes[code] = {name: given[name] for name in ("nonce", "redirect_uri", "code_challenge", "code_challenge_method")}
        return redirect(f"{given['redirect_uri']}?{urlencode({'code': code, 'state': given['state']})}")

    def token(self) -> Any:
        """A code for a token: once, to the client that has the secret and the verifier."""
        self.asked.append("token")
        form, of = request.form, self.codes.pop(request.form["code"], None)
        challenge = _base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        auth = request.authorization
        is_right = (
            of
            and of["code_challenge_method"] == "S256"
            and challenge == of["code_challenge"]
            and form["redirect_uri"] == of["redirect_uri"]
        )
        if not is_right or not auth or (auth.username, auth.password) != (CLIENT, SECRET):
            return jsonify({"error": "invalid_grant"}), 400
        assert of
        answer = {"access_token": "at-1", "token_type": "Bearer", "expires_in": 60, "id_token": self._id_token(of["nonce"])}
        return {name: value for name, value in (answer | self.lies.get("token_has", {})).items() if value is not None}

    def _id_token(self, nonce: str) -> Any:
        from joserfc import jwt

        now = int(time.time())
        said = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce} | self.claims | self.lies.get("claims", {})
        said = {name: value for name, value in said.items() if value is not None}
        if self.lies.get("alg") == "none":
            return f"{_part({'alg': 'none'})}.{_part(said)}."
        if self.lies.get("alg") == "HS256":  # signed with what everybody can read: the public key
            signed = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(said)}"
            return f"{signed}.{_base64(hmac.new(self.key.as_pem(private=False), signed.encode(), 'sha256').digest())}"
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, said, self.lies.get("key", self.key))

    def app(self) -> Flask:
        """Its pages."""
        app = Flask("provider")
        app.add_url_rule("/.well-known/openid-configuration", "metadata", self.metadata)
        app.add_url_rule("/authorize", "authorize", self.authorize)
        app.add_url_rule("/token", "token", self.token, methods=["POST"])
        app.add_url_rule("/keys", "keys", lambda: {"keys": [self.published.as_dict(private=False)]})
        app.add_url_rule("/userinfo", "userinfo", lambda: self.userinfo)
        return app

    @contextmanager
    def running(self) -> Iterator[IdProvider]:
        """On a port of loopback."""
        with on_loopback(self.app()) as self.address:
            yield self


def _part(said: dict[str, Any]) -> str:
    return _base64(json.dumps(said).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
