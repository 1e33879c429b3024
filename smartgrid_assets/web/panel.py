"""A panel is the page's unit: a question, a table that answers it, mostly a picture of that table, and a sentence.

One declaration gives the HTML, the CSV and Parquet files and the JSON of the API, so they cannot differ. A panel that fails says so and
takes no other with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from smartgrid_assets.resources.accounts import Role

if TYPE_CHECKING:
    from smartgrid_assets.web.view import View

Form = Literal["text", "number", "power", "share", "time", "day", "moment", "yes"]
"""power: MW in files and the API; on the page in kW, MW or GW, as the panel's largest value has it."""
Tone = Literal["", "warn", "bad"]


@dataclass(frozen=True)
class Field:
    """A column as people see it. unit stands in the head, never in the cells; link: (row, view) -> address, or none."""

    name: str
    title: str
    unit: str = ""
    form: Form = "text"
    digits: int = 2
    link: Callable[[dict[str, Any], View], str | None] | None = None


def power(name: str, title: str) -> Field:
    """A column of MW."""
    return Field(name, title, "MW", "power")


def kwh(name: str, title: str) -> Field:
    """A column of kWh."""
    return Field(name, title, "kWh", "number", 1)


def cost(name: str, title: str) -> Field:
    """A column of money, in the fleet's currency."""
    return Field(name, title, "", "number", 2)


@dataclass(frozen=True)
class Shown:
    """What a panel shows. made: when what it shows was made, in words; most: rows that the page shows, files and API have all."""

    fields: Sequence[Field] = ()
    rows: Sequence[dict[str, Any]] = ()
    chart: dict[str, Any] | None = None
    sentence: str = ""
    made: str = ""
    tone: Tone = ""
    most: int = 60
    is_open: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """True without a row."""
        return not self.rows


@dataclass(frozen=True)
class Panel:
    """One panel of a screen; `needs` where it takes more than the screen's role."""

    name: str
    title: str
    make: Callable[[View], Shown]
    needs: Role | None = None
    is_half: bool = False
    """On a wide screen it stands beside another."""
    says: str = ""
    """What is to be read from it, in one line; for the API's document too."""
    form: str = ""
    """Template of what can be done there, for whoever sees the panel."""


@dataclass(frozen=True)
class Screen:
    """One page: its address, who may see it, which parameters it takes, its panels. seen: what goes into the audit log."""

    name: str
    title: str
    question: str
    needs: Role
    parameters: tuple[str, ...]
    panels: tuple[Panel, ...]
    heading: Callable[[View], str] | None = None
    seen: Callable[[View], str] | None = None
    in_menu: bool = True

    def panel(self, name: str) -> Panel | None:
        """The panel of that name."""
        return next((panel for panel in self.panels if panel.name == name), None)

    def role_for(self, panel: Panel) -> Role:
        """Who may see a panel."""
        return max(self.needs, panel.needs or self.needs)


def plain(value: Any) -> Any:
    """A value for JSON: times as ISO 8601 in UTC, what is not known null."""
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value != value:
        return None
    return value
