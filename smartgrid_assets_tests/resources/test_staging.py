"""Staging: rows in order are written from where they are, others are sorted; what does not fit is found either way."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartgrid_assets.domain.errors import SchemaError
from smartgrid_assets.domain.tables import Column, Table
from smartgrid_assets.resources.staging import digests, staged

COLUMNS = (Column("who", "VARCHAR", ""), Column("n", "BIGINT", ""), Column("kwh", "DOUBLE", "", nullable=True))
TABLE = Table("raw", "made", "none", "row", COLUMNS, ("who", "n"))
keys = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 6)), max_size=12)


def rows_of(keys: list[tuple[str, int]], who: str = "VARCHAR") -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(f"CREATE TEMP TABLE made (who {who}, n BIGINT, kwh DOUBLE)")
    if keys:
        con.executemany("INSERT INTO made VALUES (?, ?, 1.5)", keys)
    return con


@settings(deadline=None)  # each example opens a database; machines are shared
@given(keys, st.booleans())
def test_rows_come_in_the_order_of_their_key_and_no_key_twice(keys: list[tuple[str, int]], presorted: bool) -> None:
    with rows_of(sorted(keys) if presorted else keys) as con:
        if len(set(keys)) < len(keys):
            with pytest.raises(SchemaError, match="more than once"), staged(con, TABLE, "made"):
                pass
            return
        with staged(con, TABLE, "made") as rows:
            assert con.execute(f"SELECT who, n FROM {rows.relation}").fetchall() == sorted(keys)
            assert rows.rows == len(keys)


@settings(deadline=None)  # each example opens a database; machines are shared
@given(keys.filter(lambda k: len(set(k)) == len(k)))
def test_text_and_enum_are_the_same_rows(keys: list[tuple[str, int]]) -> None:
    said = []
    for who in ("VARCHAR", "ENUM('c', 'b', 'a')"):
        with rows_of(keys, who) as con, staged(con, TABLE, "made") as rows:
            said.append(digests(con, TABLE, rows.relation))
    assert said[0] == said[1]


def test_what_stands_in_order_is_not_copied_and_a_view_always_is() -> None:
    with rows_of([("a", 1), ("b", 0)]) as con:
        with staged(con, TABLE, "made") as rows:
            assert "FROM made" in rows.relation
        con.execute("CREATE TEMP VIEW seen AS FROM made")
        with staged(con, TABLE, "seen") as rows:
            assert rows.relation == "staged"
        assert not con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'staged'").fetchall()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param("UPDATE made SET n = NULL WHERE who = 'b'", "null in n", id="a null in the key"),
        pytest.param("UPDATE made SET kwh = 'nan' WHERE who = 'b'", "NaN or infinite", id="a NaN"),
        pytest.param("ALTER TABLE made DROP kwh", "lack kwh", id="a missing column"),
        pytest.param("ALTER TABLE made ALTER n TYPE VARCHAR USING 'x'", "does not fit", id="a wrong type"),
    ],
)
def test_rows_that_do_not_fit_are_refused(change: str, says: str) -> None:
    with rows_of([("a", 1), ("b", 0)]) as con:
        con.execute(change)
        with pytest.raises(SchemaError, match=says), staged(con, TABLE, "made"):
            pass
