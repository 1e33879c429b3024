"""The accounts of this home."""

from __future__ import annotations

import getpass

from smartgrid_assets.resources.accounts import Accounts
from smartgrid_assets.settings import Settings


def accounts_of(chosen: Settings) -> Accounts:
    """Users, sessions, tokens and the audit log under SMARTGRID_HOME/web."""
    return Accounts(chosen.home / "web", chosen.web_secret.get_secret_value())


def noted(what: str, about: str = "", meter: str = "", who: str = "") -> None:
    """A line of the audit log for what was decided in a shell; a meter stands there as its mark. who: the one named beside the shell's user."""
    from smartgrid_assets.resources import audit
    from smartgrid_assets.resources.clock import now_utc
    from smartgrid_assets.settings import settings

    accounts, by = accounts_of(settings()), f"{getpass.getuser()} (shell)"
    named = f", for {who}" if who and who != getpass.getuser() else ""
    audit.note(accounts, f"{by}{named}", what, audit.of_meter(accounts, meter) if meter else about, now_utc())
