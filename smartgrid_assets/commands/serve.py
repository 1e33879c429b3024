"""`smartgrid serve`: the operator's page."""

from __future__ import annotations

import logging
import signal
from typing import Any

import click

IDLE_S = 15
MOST_CONNECTIONS = 400
HEADER_BYTES = 32 * 1024


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; beyond this machine it takes TLS and a secret.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port.")
def command(host: str, port: int) -> None:
    """Serve the operator's page until Ctrl-C: tomorrow's load, cases, the plan, the state of the chain; and the API under /api/v1.

    The first start prints a link by which the first admin is made. `smartgrid user` adds others.
    """
    server = server_of(_application(host, port), **_serving(host, port))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.run()  # ends by Ctrl-C or SIGTERM; requests in work have five seconds, a large file on its way is cut
    except KeyboardInterrupt:
        click.echo("stopping ...", err=True)
    finally:
        server.close()


def server_of(app: Any, **how: Any) -> Any:
    """A waitress server whose connections end where their clients are too slow."""
    from waitress.server import BaseWSGIServer, create_server

    from smartgrid_assets.web.slow import PromptChannel

    listening: dict[int, Any] = {}
    server = create_server(app, map=listening, **how)
    for one in listening.values():  # a host such as localhost has an address of each family
        if isinstance(one, BaseWSGIServer):
            one.channel_class = PromptChannel
    return server


def _application(host: str, port: int) -> Any:
    from smartgrid_assets.commands._accounts import accounts_of
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.resources.clock import now_utc
    from smartgrid_assets.settings import settings
    from smartgrid_assets.web.app import create_app
    from smartgrid_assets.web.options import options_of

    chosen = settings()
    options = options_of(chosen, host, port)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    accounts = accounts_of(chosen)
    # Questions are small and many: a second thread each costs more than it helps, most of all beside a run that has the cores.
    context = chain_context(chosen=chosen.model_copy(update={"memory_limit": chosen.web_memory, "threads": 1}))
    app = create_app(context, accounts, options)
    token = accounts.begin_set_up(now_utc())
    click.echo(f"SmartGridAI at {options.url}", err=True)
    if token:
        click.echo(f"There is no user yet. Make the first admin here, within an hour: {options.url}/setup/{token}", err=True)
    return app


def _serving(host: str, port: int) -> dict[str, Any]:
    """How waitress serves: few threads, small requests, slow clients are let go; a proxy's word counts only from the proxy."""
    from smartgrid_assets.commands.ui import is_taken
    from smartgrid_assets.domain.errors import SettingsError
    from smartgrid_assets.settings import settings

    chosen = settings()
    if host in ("127.0.0.1", "localhost") and is_taken(port):
        raise SettingsError(f"Port {port} on {host} is taken; choose another: smartgrid serve --port {port + 1}.")
    proxied = {
        "trusted_proxy": chosen.web_proxy,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
        "clear_untrusted_proxy_headers": True,
    }
    return {
        "host": host,
        "port": port,
        "threads": chosen.web_threads,
        "connection_limit": MOST_CONNECTIONS,
        "channel_timeout": IDLE_S,
        "cleanup_interval": IDLE_S // 3,
        "asyncore_use_poll": True,
        "max_request_header_size": HEADER_BYTES,
        "max_request_body_size": 2 * HEADER_BYTES,
        "ident": "",
        **(proxied if chosen.web_proxy else {}),
    }
