"""A verdict on a case, given on the page: two clicks, and undone by withdrawing it. The same code as `smartgrid verdict case`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, redirect, request

from smartgrid_assets.domain.detect.verdict import VERDICTS, WITHDRAWN
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources import audit
from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.access import needs, who

if TYPE_CHECKING:
    from smartgrid_assets.web.app import Web

LONGEST_NOTE = 500


def register(app: Flask, web: Web) -> None:
    """Route of verdicts."""

    @app.post("/case/verdict")
    @needs(Role.ANALYST)
    def verdict() -> Any:
        from smartgrid_assets.chain.case_verdicts import CaseVerdict, judge

        case_id, word, note = (request.form.get(name, "").strip() for name in ("case", "verdict", "note"))
        if word not in (*VERDICTS, WITHDRAWN):
            raise SettingsError(f"{word[:20]!r} is no verdict; there are {', '.join((*VERDICTS, WITHDRAWN))}.")
        if len(note) > LONGEST_NOTE or len(case_id) > LONGEST_NOTE:
            raise SettingsError(f"A note has at most {LONGEST_NOTE} characters.")
        judge(web.reader.context, CaseVerdict(case_id, word, who().name, note), web.now())
        audit.note(web.accounts, who().name, f"gave the verdict {word}", f"case {case_id}", web.now())
        return redirect(f"/case?{urlencode({'case': case_id})}#verdicts", 303)

    app.jinja_env.globals["VERDICTS"] = VERDICTS
    app.jinja_env.globals["WITHDRAWN"] = WITHDRAWN
