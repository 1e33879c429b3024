"""Series out of plain files, and labels of their own files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smartgrid_assets.domain.detect.labelled import read_labelled, with_labels
from smartgrid_assets.domain.errors import DeliveryError


def written(folder: Path, text: str, name: str = "load.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_columns_are_found_by_name_in_any_order_and_an_index_is_no_value(tmp_path):
    text = "label,Unnamed: 0,note,b,Timestamp,series,a\n0,0,x,1,2026-01-01 00:30,s,5\n1,1,y,2,2026-01-01 00:00,s,6\n,2,,3,2026-01-01T01:00:00+01:00,t,7\n"
    (s, t), problems = read_labelled(written(tmp_path, text))
    assert (s.name, t.name) == ("s", "t") and problems == []
    assert s.values.tolist() == [[2, 6], [1, 5]] and s.labels.tolist() == [1, 0]
    assert t.labels is None and str(t.times[0]).startswith("2026-01-01T00:00:00")


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_quote_that_a_cut_leaves_open_costs_that_row_alone(tmp_path, delimiter):
    rows = [["series", "timestamp", "value"], *(["a", f"2026-01-0{1 + h // 24} {h % 24:02d}:00", str(h)] for h in range(100))]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows) + f'\n"a"{delimiter}"2026-01-0'
    (one,), problems = read_labelled(written(tmp_path, text))
    assert one.name == "a" and one.values[:, 0].tolist() == list(range(100))
    assert problems == ["load.csv: 1 rows have no stamp that can be read: left out"]


def test_rows_that_cannot_be_used_are_told_and_the_rest_stays(tmp_path):
    text = "timestamp,value,label\n2026-01-01 00:00,1,0.0\nnever,2,0\n2026-01-01 00:10,n/a,1\n2026-01-01 00:20,4,maybe\n2026-01-01 00:20,inf,0\n2026-01-01 00:20,5,TRUE\n2026-01-01 00:3"
    (one,), problems = read_labelled(written(tmp_path, text))
    assert one.values[:, 0].tolist() == [1, 4, 5]
    assert one.labels[0] == 0 and np.isnan(one.labels[1]) and one.labels[2] == 1
    assert [problem.split(": ", 1)[1] for problem in problems] == [
        "1 rows have no stamp that can be read: left out",
        "3 rows lack a value that is a number: left out",
        "1 labels are neither 0 nor 1: those rows are scored and not judged",
        "2 rows repeat a stamp of their series: kept, in the order of the file",
    ]


@pytest.mark.parametrize(("first", "second"), [("1/2/2026 23:00", "1/3/2026 0:00"), ("2/1/2026 23:00", "3/1/2026 0:00")])
def test_stamps_of_two_formats_are_read_and_day_and_month_by_the_order_of_the_rows(tmp_path, first, second):
    text = f"timestamp,value\n2026-01-02 22:00,1\n{first},2\n{second},3\n"
    (one,), problems = read_labelled(written(tmp_path, text))
    assert (np.diff(one.times) == np.timedelta64(1, "h")).all() and one.values[:, 0].tolist() == [1, 2, 3]
    assert "2 stamps are read as" in problems[0] and "would read them as well" in problems[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "no column timestamp; it has a, b"),
        ("timestamp,label\n2026-01-01,1\n", "no column of values beside"),
        ("timestamp,note\n2026-01-01,x\n", "none of the columns note holds numbers"),
        ("timestamp,value\nnever,1\n", "no row has a stamp and a value"),
        ("", "has no column timestamp|cannot be read"),
    ],
)
def test_a_file_without_series_is_a_sentence(tmp_path, text, sentence):
    with pytest.raises(DeliveryError, match=sentence):
        read_labelled(written(tmp_path, text))


HOURS = "timestamp,value\n" + "".join(f"2026-01-0{1 + h // 24} {h % 24:02d}:00,{h}\n" for h in range(72))


@pytest.mark.parametrize(
    ("name", "text", "labelled"),
    [
        ("l.csv", "start,end\n2026-01-02 03:00,2026-01-02 05:00\n", [27, 28, 29]),
        ("l.csv", "date,reason\n2026-01-03,holiday\n", list(range(48, 72))),
        ("l.csv", "timestamp,label\n2026-01-02 00:00,1\n2026-01-01 23:00,0\n", [24]),
        (
            "l.json",
            '{"windows": {"x/load.csv": [["2026-01-01 04:00", "2026-01-01 05:00"]], "x/other.csv": [["2026-01-02", "2026-01-03"]]}}',
            [4, 5],
        ),
        ("l.json", '["2026-01-01 04:00"]', [4]),
    ],
)
def test_labels_of_their_own_file(tmp_path, name, text, labelled):
    series, _ = read_labelled(written(tmp_path, HOURS))
    (one,), problems = with_labels(series, written(tmp_path, text, name))
    assert np.flatnonzero(np.nan_to_num(one.labels)).tolist() == labelled and problems == []


def test_labels_of_a_series_are_not_those_of_one_with_a_longer_name(tmp_path):
    text = "series,timestamp,value\n" + "".join(f"home.{home},2026-01-01 0{h}:00,{h}\n" for home in (1, 2) for h in range(9))
    series, _ = read_labelled(written(tmp_path, text))
    labels = "series,start,end\nhome.2,2026-01-01 03:00,2026-01-01 04:00\n"
    one, two = with_labels(series, written(tmp_path, labels, "l.csv"))[0]
    assert one.labels.sum() == 0 and np.flatnonzero(two.labels).tolist() == [3, 4]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("l.csv", "a,b\n1,2\n", "neither timestamp,label nor start,end nor date"),
        ("l.csv", "start,end\nnever,2026-01-01\n", "1 rows have a moment that cannot be read .first: row 1"),
        ("l.json", '{"windows": 3}', "not JSON of anomalous windows"),
        ("l.json", "no json", "not JSON of anomalous windows"),
    ],
)
def test_strange_labels_are_a_sentence(tmp_path, name, text, sentence):
    series, _ = read_labelled(written(tmp_path, HOURS))
    with pytest.raises(DeliveryError, match=sentence):
        with_labels(series, written(tmp_path, text, name))


def test_labels_that_meet_nothing_are_told(tmp_path):
    series, _ = read_labelled(written(tmp_path, HOURS))
    _, problems = with_labels(series, written(tmp_path, "start,end\n2030-01-01,2030-01-02\n", "l.csv"))
    assert problems == ["l.csv: no label falls into series load"]
