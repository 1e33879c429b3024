"""Plug-ins by file: which constants does a package's folder hold?

Adding a format, rule, feature, detector, forecaster or constraint block is adding one file that ends in one
constant. Nothing else lists them, so a contract test that sweeps `discover()` tests a newcomer on arrival.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

from smartgrid_assets.domain.errors import PlugInError


@cache
def discover(package: str, constant: str) -> dict[str, Any]:
    """The plug-ins of `package` (dotted name), by name, in alphabetical order of their files.

    Each module there must define `constant` (say "RULE") whose value has a unique `name`. Modules whose
    name begins with an underscore are shared helpers, not plug-ins.
    Raises PlugInError naming the file that breaks this.
    """
    found: dict[str, Any] = {}
    home = importlib.import_module(package)
    for module_info in sorted(pkgutil.iter_modules(home.__path__), key=lambda m: m.name):
        if module_info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{module_info.name}")
        plug_in = getattr(module, constant, None)
        if plug_in is None:
            raise PlugInError(f"{module.__file__}: ends without its constant {constant}; a plug-in is one file ending in one.")
        if plug_in.name in found:
            raise PlugInError(f"{module.__file__}: the name {plug_in.name!r} is already taken by another file beside it.")
        found[plug_in.name] = plug_in
    return found
