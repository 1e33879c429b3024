"""A re-plan asked for on the page: the very command `smartgrid replan`, in a process of its own, one at a time.

The page's process holds no solver. What the command said is kept until the server stops; the plan itself lies in the lake.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, redirect, request

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.market_day import moment_of
from smartgrid_assets.resources import audit
from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.access import needs, who
from smartgrid_assets.web.words import number, stamp

if TYPE_CHECKING:
    from smartgrid_assets.web.app import Web

LONGEST_WHY = 200
LEAST_PERCENT, MOST_PERCENT = -100.0, 1000.0
LONGEST_S = 900
MOST_LINES, LONGEST_LINE = 40, 400
MOST_DAYS = 50


@dataclass(frozen=True)
class Asked:
    """What was asked for, when (naive UTC) and by whom, and what came of it. is_done: it has ended; is_right: with a plan."""

    day: date
    from_utc: datetime
    percent: float
    why: str
    who: str
    at: datetime
    is_trial: bool = False
    is_done: bool = False
    is_right: bool = False
    lines: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """Of `smartgrid replan`. Joined by =, so that no text is taken for an option."""
        given = [
            f"--day={self.day}",
            f"--at={self.from_utc.isoformat()}Z",
            f"--load-percent={self.percent}",
            f"--why={self.why}",
            f"--who={self.who}",
        ]
        return [*given, "--dry-run"] if self.is_trial else given


class Replans:
    """At most one re-plan at a time, and what came of the newest of each day. run: does it; (is it right, lines)."""

    def __init__(self, run: Callable[[Sequence[str]], tuple[bool, list[str]]]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._newest: dict[date, Asked] = {}
        self._going: Asked | None = None

    def newest(self, day: date) -> Asked | None:
        """The newest that was asked for of a market day since the server started."""
        return self._newest.get(day)

    def ask(self, asked: Asked, tz: str) -> None:
        """Begin it, and return. Raises SettingsError while another one is being made."""
        with self._lock:
            if self._going:
                raise SettingsError(
                    f"{self._going.who} asked for a plan of {self._going.day} at {stamp(self._going.at, tz)}, which is being made; wait for it."
                )
            self._going = self._newest[asked.day] = asked
            while len(self._newest) > MOST_DAYS:
                del self._newest[next(iter(self._newest))]
        threading.Thread(target=self._make, args=(asked,), daemon=True).start()

    def _make(self, asked: Asked) -> None:
        is_right, lines = False, ["It was not made: the server's log says why."]
        try:
            is_right, lines = self._run(asked.arguments())
        finally:
            told = tuple(line[:LONGEST_LINE] for line in lines[:MOST_LINES])
            with self._lock:
                self._newest[asked.day] = replace(asked, is_done=True, is_right=is_right, lines=told)
                self._going = None


def in_a_process(home: str, tz: str) -> Callable[[Sequence[str]], tuple[bool, list[str]]]:
    """`smartgrid replan` over the lake of the page; settings as the server has them."""

    def run(arguments: Sequence[str]) -> tuple[bool, list[str]]:
        command = [sys.executable, "-m", "smartgrid_assets", "replan", *arguments]
        try:
            ended = subprocess.run(
                command,
                env=os.environ | {"SMARTGRID_HOME": home, "SMARTGRID_TIMEZONE": tz},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=LONGEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False, [f"It took longer than {LONGEST_S // 60} minutes and was stopped."]
        is_right = ended.returncode == 0
        said = (ended.stdout if is_right else ended.stderr).strip().splitlines()
        return is_right, said if is_right else said[-1:] or ["It ended without a word."]

    return run


def register(app: Flask, web: Web) -> None:
    """Route of re-plans."""
    settings = web.reader.context.settings
    app.extensions["replans"] = Replans(in_a_process(str(settings.home), settings.timezone))

    @app.post("/plan/replan")
    @needs(Role.OPERATOR)
    def replan() -> Any:
        asked = _asked(request.form, who().name, web.now(), settings.timezone)
        app.extensions["replans"].ask(asked, settings.timezone)
        what = "tried a re-plan" if asked.is_trial else "asked for a re-plan"
        audit.note(web.accounts, who().name, what, f"{asked.day} from {asked.from_utc:%H:%M} UTC: {asked.why}", web.now())
        return redirect(f"/plan?{urlencode({'day': asked.day.isoformat()})}#replans", 303)

    app.jinja_env.globals["replan_of"] = lambda day: app.extensions["replans"].newest(day)


def _asked(form: Any, name: str, now: datetime, tz: str) -> Asked:
    """The form's fields, checked. Raises SettingsError with the one that makes no sense."""
    why = form.get("why", "").strip()
    if not why or len(why) > LONGEST_WHY or not why.isprintable():
        raise SettingsError(f"Say why in one line of at most {LONGEST_WHY} characters.")
    try:
        day = date.fromisoformat(form.get("day", ""))
    except ValueError:
        raise SettingsError(f"{form.get('day', '')[:20]!r} is no day.") from None
    try:
        percent = float(form.get("percent", "") or 0)
    except ValueError:
        percent = float("nan")
    if not LEAST_PERCENT <= percent <= MOST_PERCENT:
        raise SettingsError(f"More load is {number(LEAST_PERCENT, 0)} to {number(MOST_PERCENT, 0)} per cent.")
    return Asked(day, moment_of(form.get("from", "")[:40], tz), percent, why, name, now, form.get("what") == "try")
