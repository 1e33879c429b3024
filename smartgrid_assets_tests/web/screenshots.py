"""`make screenshots`: the pictures of docs/for/, taken anew from a demo lake by a headless Chromium.

    python -m smartgrid_assets_tests.web.screenshots [--home DIR]

--home: a home that `smartgrid demo` filled; without it, one is made in a temporary folder (six minutes). Users and the audit log are the
script's own, the clock stands on the morning after the newest day, and the home is not written to.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from smartgrid_assets.home import chain_context
from smartgrid_assets.resources.accounts import Accounts, Role
from smartgrid_assets.settings import Settings
from smartgrid_assets_tests.web.loopback import CHROMIUM, on_loopback

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from smartgrid_assets.chain.context import Context

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "for" / "pictures"
SCREENS = ("tomorrow", "cases", "case", "plan", "trust")
"""Screens that have a picture there, by name."""
PASSWORD = "for pictures alone"
WIDTH, HEIGHT, COLOURS = 1280, 900, 128


def main() -> None:
    """Take all pictures; exit 1 with a sentence where that is not possible."""
    parser = argparse.ArgumentParser(prog="make screenshots")
    parser.add_argument("--home", type=Path, help="a home that smartgrid demo filled")
    home = parser.parse_args().home
    if CHROMIUM is None:
        raise SystemExit("There is no Chromium here: apt-get install chromium.")
    with tempfile.TemporaryDirectory(prefix="smartgrid-pictures-") as folder:
        if home is None:
            home = Path(folder) / "home"
            subprocess.run([sys.executable, "-m", "smartgrid_assets", "demo"], env=os.environ | {"SMARTGRID_HOME": str(home)}, check=True)
        context = chain_context(chosen=Settings(home=home))
        with served(context, Path(folder) / "users") as address:
            take(address, CHROMIUM, newest_case(context))


def newest_case(context: Context) -> str:
    """Id of the first case to visit of the newest day that has one."""
    from smartgrid_assets.chain.case_files import cases_of

    for day in reversed(context.lake.keys("anomalies/cases")):
        for case in cases_of(context, day)[1]:
            if case["rank"] and case["meter_id"]:
                return str(case["case_id"])
    raise SystemExit("No day of this lake has a case to visit; take another home.")


@contextmanager
def served(context: Context, users: Path) -> Iterator[str]:
    """The page over the lake, on the morning after its newest day; its address."""
    from smartgrid_assets.web.app import create_app
    from smartgrid_assets.web.options import Options

    days = context.lake.keys("operator/overview")
    if not days:
        raise SystemExit(f"{context.settings.home} holds no page yet; smartgrid demo makes one.")
    now = context.market_day(days[-1]).end_utc + timedelta(hours=6)
    accounts = Accounts(users)
    accounts.add("grace", Role.ANALYST, PASSWORD, now)
    app = create_app(context, accounts, Options("127.0.0.1", 0, "http://127.0.0.1", ("127.0.0.1",), False, ""), lambda: now)
    with on_loopback(app) as address:
        yield address


def take(address: str, chromium: str, case_id: str) -> None:
    """Log in, and a picture of each screen."""
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light").new_page()
        page.goto(f"{address}/login")
        page.fill("input[name=name]", "grace")
        page.fill("input[name=password]", PASSWORD)
        page.click("main button")
        for name in SCREENS:
            page.goto(f"{address}/{name}" + (f"?case={case_id}" if name == "case" else ""))
            page.wait_for_function("document.querySelectorAll('.plot').length === Number(document.documentElement.dataset.drawn || 0)")
            size = keep(page, PICTURES / f"{name}.png")
            print(f"{name}.png {size / 1000:.0f} kB")
        browser.close()


def keep(page: Page, file: Path) -> int:
    """What the window shows, in few colours; bytes."""
    from PIL import Image

    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    return file.stat().st_size


if __name__ == "__main__":
    main()
