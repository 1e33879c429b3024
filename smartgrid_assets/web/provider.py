"""The identity provider by which people may log in, as the settings name it, checked before the server starts."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources.accounts import Role, role_of
from smartgrid_assets.settings import Settings


@dataclass(frozen=True)
class Provider:
    """issuer: its address, exactly as it names itself. roles: group there -> role here."""

    issuer: str
    client_id: str
    client_secret: str
    scope: str
    name_claim: str
    role_claim: str
    roles: dict[str, Role]
    label: str

    def role(self, claims: dict[str, Any]) -> Role | None:
        """The highest role of the groups that the claims list; None where they list none that counts."""
        found = claim(claims, self.role_claim)
        groups = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return max((self.roles[group] for group in groups if isinstance(group, str) and group in self.roles), default=None)


def claim(claims: dict[str, Any], name: str) -> Any:
    """The claim of that name; dots go into nested ones, where no claim has the whole name.

    >>> claim({"realm_access": {"roles": ["viewer"]}}, "realm_access.roles"), claim({"a.b": 1}, "a.b"), claim({}, "groups")
    (['viewer'], 1, None)
    """
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def provider_of(chosen: Settings) -> Provider | None:
    """The provider of the settings; None where none is set. Raises SettingsError with what to set."""
    issuer = chosen.oidc_issuer
    if not issuer:
        return None
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise SettingsError(f"SMARTGRID_OIDC_ISSUER is {issuer!r}; it begins with https://.")
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise SettingsError(f"SMARTGRID_OIDC_ISSUER is {issuer!r}; write it as the provider does: https://id.example.com/realms/grid.")
    if not chosen.oidc_client_id or not chosen.oidc_client_secret.get_secret_value():
        raise SettingsError(
            "SMARTGRID_OIDC_ISSUER takes SMARTGRID_OIDC_CLIENT_ID and SMARTGRID_OIDC_CLIENT_SECRET, which the provider gives."
        )
    if "openid" not in chosen.oidc_scope.split():
        raise SettingsError(f"SMARTGRID_OIDC_SCOPE is {chosen.oidc_scope!r}; it holds the word openid.")
    return Provider(
        issuer,
        chosen.oidc_client_id,
        chosen.oidc_client_secret.get_secret_value(),
        chosen.oidc_scope,
        chosen.oidc_name_claim,
        chosen.oidc_role_claim,
        _roles(chosen.oidc_roles),
        chosen.oidc_label,
    )


def _roles(text: str) -> dict[str, Role]:
    """Group -> role of group=role;group=role: an LDAP name holds commas and equals signs."""
    found = {}
    for pair in text.split(";"):
        group, is_pair, role = pair.rpartition("=")
        if not is_pair or not group.strip():
            raise SettingsError(f"SMARTGRID_OIDC_ROLES has {pair!r}; write group=role;group=role.")
        found[group.strip()] = role_of(role.strip())
    return found


def is_loopback(host: str) -> bool:
    """True for this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("grid.example.com")
    (True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
