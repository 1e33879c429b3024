"""The accounts of this home."""

from __future__ import annotations

from smartgrid_assets.resources.accounts import Accounts
from smartgrid_assets.settings import Settings


def accounts_of(chosen: Settings) -> Accounts:
    """Users, sessions, tokens and the audit log under SMARTGRID_HOME/web."""
    return Accounts(chosen.home / "web", chosen.web_secret.get_secret_value())
