"""How the page is served, checked before it is: beyond this machine only behind TLS, with a secret of the administrator's."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.settings import Settings
from smartgrid_assets.web.provider import Provider, is_loopback, provider_of

LEAST_SECRET = 32


@dataclass(frozen=True)
class Options:
    """host, port: where to listen. url: where people reach it. hosts: names that requests may ask for. proxy: address of the TLS proxy, or none.
    provider: who else may say who somebody is."""

    host: str
    port: int
    url: str
    hosts: tuple[str, ...]
    is_https: bool
    proxy: str
    provider: Provider | None = None


def options_of(chosen: Settings, host: str, port: int) -> Options:
    """Raises SettingsError, with what to set, for a server that would be open without TLS or a secret."""
    url = chosen.web_url.rstrip("/")
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query):
        raise SettingsError(f"SMARTGRID_WEB_URL is {url!r}; write it as https://grid.example.com.")
    is_https = parts.scheme == "https"
    if not is_loopback(host) or (url and not is_loopback(parts.hostname or "")):
        missing = _missing(chosen, is_https)
        if missing:
            raise SettingsError(
                f"Serving beyond this machine ({url or host}) takes TLS and a secret. Set {'; '.join(missing)}. docs/operations.md shows a proxy."
            )
    if chosen.web_proxy and not _is_address(chosen.web_proxy):
        raise SettingsError(
            f"SMARTGRID_WEB_PROXY is {chosen.web_proxy!r}; it is one IP address, that from which the proxy connects, such as 127.0.0.1."
        )
    names = {parts.hostname} if url else {"127.0.0.1", "localhost", "[::1]", host}
    return Options(
        host,
        port,
        url or f"http://{host}:{port}",
        tuple(sorted(name for name in names if name)),
        is_https,
        chosen.web_proxy,
        provider_of(chosen),
    )


def _missing(chosen: Settings, is_https: bool) -> list[str]:
    found = []
    if not is_https:
        found.append("SMARTGRID_WEB_URL=https://... (where a proxy that speaks TLS is reached)")
    if not chosen.web_proxy:
        found.append("SMARTGRID_WEB_PROXY to the address from which that proxy connects")
    if len(chosen.web_secret.get_secret_value()) < LEAST_SECRET:
        found.append(f"SMARTGRID_WEB_SECRET to {LEAST_SECRET} random characters or more")
    return found


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
