"""`smartgrid`: the command line.

Results go to stdout, progress and sentences to stderr. Exit 0 = done, 1 = something the user can mend (said in a
sentence), 2 = usage, 3 = `status --check` found tomorrow not issued. Each command's work lives in `commands/`.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from smartgrid_assets.domain.errors import SmartGridError

COMMANDS = (
    "demo",
    "simulate",
    "ingest",
    "run",
    "night",
    "replan",
    "sql",
    "status",
    "quality",
    "diff",
    "backtest",
    "score",
    "solve",
    "case",
    "verdict",
    "promote",
    "export",
    "ui",
    "serve",
    "user",
    "backup",
    "restore",
    "erase",
    "retention",
)

for _name, _value in {
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "PYTHONWARNINGS": "ignore",
}.items():
    os.environ.setdefault(_name, _value)


class _Commands(click.Group):
    """Commands by module, imported when they are called: `smartgrid sql` loads no Dagster."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"smartgrid_assets.commands.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SmartGridError as error:
            click.echo(str(error), err=True)
            sys.exit(1)


@click.group(cls=_Commands)
@click.version_option(package_name="smartgrid-assets", prog_name="smartgrid")
def main() -> None:
    """SmartGridAI: meter files in, forecasts, alarms and plans out.

    \b
    First steps:  smartgrid demo         a made-up town through the whole chain
                  smartgrid ingest PATH  your own files
                  smartgrid run --from 2014-04-01 --to 2014-04-14
                  smartgrid ui           Dagster and MLflow in the browser
                  smartgrid serve        the operator's page

    All state lives under SMARTGRID_HOME (default: the repository). Settings are variables SMARTGRID_*; see
    docs/operations.md.
    """
