"""An MLflow store keeps absolute paths of its artifacts: what to do when its folder was moved, copied or restored?

MLflow has no call for it; its own users rewrite the four columns by hand. So does this, in one transaction.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

LOCATIONS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}


def follow_move(store: Path, old_uri: str, new_uri: str) -> int:
    """Let every location below `old_uri` point below `new_uri`; locations changed. Raises sqlite3.Error where it cannot."""
    changed = 0
    with closing(sqlite3.connect(store, timeout=30)) as con, con:
        for table, column in LOCATIONS.items():
            # The names are the four above; the addresses are parameters.
            changed += con.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                (new_uri, len(old_uri) + 1, old_uri, len(old_uri) + 1, old_uri + "/"),
            ).rowcount
    return changed
