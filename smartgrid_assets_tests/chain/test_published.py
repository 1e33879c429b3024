"""What is published: the aggregate of the models, learned from what the gate knew (before anything is known of them the champion, flagged),
and joint paths of it, on the 23-hour day too. A late correction reaches neither."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner

from smartgrid_assets.chain import forecasting, scoring
from smartgrid_assets.chain.degraded import CHECKS, degraded
from smartgrid_assets.chain.promotions import Promotion, promote
from smartgrid_assets.chain.scoring import weekly_scores
from smartgrid_assets.chain.step import Work
from smartgrid_assets.cli import main
from smartgrid_assets.client import forecasts, load_forecaster
from smartgrid_assets.domain import tables
from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets.domain.forecast.combined import LEAST_DAYS
from smartgrid_assets.domain.forecast.scenarios import PATHS
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS
from smartgrid_assets.home import chain_context
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, deliver, file_of, lines_of, morning_after, place, rows, run

SPRING = date(2026, 3, 29)
DAYS, ISSUED_FROM = 28, 14
STEPS = "validated,features,model,candidates,scores,champion,day_ahead,scenarios,headroom"
RATINGS = (
    "meter_id,role,feeder,zone,class,rating_kw,valid_from,valid_to\n"
    "L1,feeder,F1,north,,3.5,2020-01-01,2099-12-31\nL2,zone,,north,,100,2020-01-01,2099-12-31\nL9,feeder,F9,south,,1,2020-01-01,2099-12-31\n"
)
LEVELS = np.array([int(name[1:]) / 100 for name in QUANTILE_COLUMNS])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home whose forecasts were made up to the day of the clock change; read by all tests, corrected by the last."""
    folder = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMARTGRID_HOME", str(folder / "home"))
        patch.setenv("SMARTGRID_MODELS", "naive_2d,naive_7d")
        patch.delenv("DAGSTER_HOME", raising=False)
        settings.cache_clear()
        context, deliveries = place(folder / "files", DAYS)
        ratings = folder / "files" / "ratings.csv"
        ratings.write_text(RATINGS)
        deliver(context, (ratings, deliveries[0][1]), *deliveries)
        run(context, FIRST + timedelta(days=ISSUED_FROM), SPRING, STEPS, warm_up=ISSUED_FROM)
        yield folder
    settings.cache_clear()


def published(context):
    return rows(
        context,
        "SELECT day, zone, interval_start_utc, load_mw, q05, q95, source_model, is_fallback, fallback_reason FROM forecasts.day_ahead ORDER BY ALL",
    )


def drawn(context, day):
    """(paths, zones, intervals) MW."""
    found = rows(context, f"SELECT load_mw FROM forecasts.scenarios WHERE day = '{day}' ORDER BY path, zone, interval_start_utc")
    return np.array(found).reshape(PATHS, 2, -1)


def quantiles(context, table, order, day):
    return np.array(rows(context, f"SELECT {', '.join(QUANTILE_COLUMNS)} FROM forecasts.{table} WHERE day = '{day}' ORDER BY {order}"))


@pytest.mark.slow
@pytest.mark.xdist_group("published")
def test_the_aggregate_is_published_once_four_days_are_known(home):
    found = published(chain_context())
    assert {day for day, *_ in found} == {FIRST + timedelta(days=n) for n in range(ISSUED_FROM, DAYS)}
    first_known = FIRST + timedelta(days=ISSUED_FROM + 1 + LEAST_DAYS)
    for day, _, _, load, low, high, model, is_fallback, reason in found:
        assert low <= load <= high
        if day < first_known:
            assert is_fallback and model == "naive_7d" and f"{LEAST_DAYS} are needed to weigh the models" in reason
        else:
            assert (model, is_fallback, reason) == ("aggregate", False, ""), day


@pytest.mark.slow
@pytest.mark.xdist_group("published")
def test_zones_in_processes_of_their_own_and_read_one_by_one_give_the_same(home, monkeypatch):
    context = chain_context()
    context = replace(context, settings=context.settings.model_copy(update={"model_jobs": 2}))
    monkeypatch.setattr(forecasting, "ZONES_A_TASK", 1)
    monkeypatch.setattr(scoring, "ZONES_AT_ONCE", 1)
    with context.lake.connect() as con:
        work = Work(context, con, SPRING, {})
        made = {"candidates": forecasting.predict_day(work)[0], "day_ahead": scoring.publish_day(work)}
        for table, found in made.items():
            con.register("found", found)
            view = context.lake.view(con, f"forecasts/{table}", [SPRING], "kept")
            columns = ", ".join(column.name for column in tables.table(f"forecasts/{table}").columns)
            kept, same = (con.execute(f"SELECT {columns} FROM {of} ORDER BY ALL").fetchall() for of in (view, "found"))
            assert kept == same and {row[0] for row in kept} == {"north", "south"}


@pytest.mark.slow
@pytest.mark.xdist_group("published")
@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (SPRING - timedelta(days=1), 24)])
def test_paths_keep_each_zones_band_and_add_up_to_the_whole(home, day, hours):
    context = chain_context()
    paths, issued = drawn(context, day), quantiles(context, "day_ahead", "zone, interval_start_utc", day)
    assert paths.shape == (PATHS, 2, hours)
    tolerance = 0.05 * np.ptp(issued, axis=1).max() + 1e-9
    drawn_quantiles = np.quantile(paths.reshape(PATHS, -1), LEVELS, axis=0).T
    assert drawn_quantiles == pytest.approx(issued, abs=tolerance)
    whole = quantiles(context, "whole", "interval_start_utc", day)
    assert whole == pytest.approx(np.quantile(paths.sum(axis=1), LEVELS, axis=0).T)
    mean = np.array(rows(context, f"SELECT mean_mw FROM forecasts.whole WHERE day = '{day}' ORDER BY interval_start_utc"))[:, 0]
    assert mean == pytest.approx(paths.mean(axis=0).sum(axis=0))


@pytest.mark.slow
@pytest.mark.xdist_group("published")
@pytest.mark.parametrize("day", [SPRING, SPRING - timedelta(days=1)])
def test_a_feeder_near_its_rating_is_told_with_the_odds_and_what_must_give_way(home, day):
    found = rows(
        chain_context(),
        f"""SELECT feeder, rating_mw, load_mw, high_mw, probability_above, probability_near, flexible_mw
        FROM forecasts.headroom WHERE day = '{day}' ORDER BY ALL""",
    )
    assert {row[:2] for row in found} == {("*", 0.1), ("F1", 0.0035)} and len(found) == 2 * (23 if day == SPRING else 24)
    for feeder, rating, load, high, above, near, flexible in found:
        assert 0 <= above <= near <= 1 and flexible == pytest.approx(max(0, high - rating)) and load <= high
        assert feeder == "F1" or (above, near, flexible) == (0, 0, 0)
    of_feeder = [row for row in found if row[0] == "F1"]
    assert max(row[4] for row in of_feeder) > 0.3 > 0.01 >= min(row[4] for row in of_feeder)
    # F1 is all there is in the zone, so its load is the zone's
    north = rows(chain_context(), f"SELECT load_mw FROM forecasts.day_ahead WHERE day = '{day}' AND zone = 'north' ORDER BY 1")
    assert sorted(row[2] for row in of_feeder) == pytest.approx([mw for (mw,) in north], rel=0.02)


@pytest.mark.slow
@pytest.mark.xdist_group("published")
def test_nothing_is_said_of_a_day_whose_feeds_are_alive_and_a_load_that_did_not_come_is(home):
    context = chain_context()
    assert degraded(context, [SPRING, SPRING + timedelta(days=9)]) == {(check, SPRING): [] for check in CHECKS}
    run(context, SPRING + timedelta(days=2), SPRING + timedelta(days=2), "model,candidates")
    told = degraded(context, [SPRING + timedelta(days=2)])
    assert told["load_feed", SPRING + timedelta(days=2)] == []
    run(context, SPRING + timedelta(days=3), SPRING + timedelta(days=3), "candidates")
    north, south = degraded(context, [SPRING + timedelta(days=3)])["load_feed", SPRING + timedelta(days=3)]
    assert north.startswith("Zone north: no load of 2026-03-30 was known at the gate") and south.startswith("Zone south")


@pytest.mark.slow
@pytest.mark.xdist_group("published")
def test_a_late_correction_does_not_reach_back(home):
    context = chain_context()
    before, paths = published(context), drawn(context, SPRING)
    late = file_of(home / "files", "late.csv", lines_of(SPRING - timedelta(days=4), change={("B1", hour): 40.0 for hour in range(24)}))
    deliver(context, (late, morning_after(SPRING + timedelta(days=3))))
    run(context, FIRST + timedelta(days=ISSUED_FROM), SPRING, STEPS)
    assert published(context) == before
    assert np.array_equal(drawn(context, SPRING), paths)


@pytest.mark.slow
@pytest.mark.xdist_group("published")
def test_three_lines_of_a_notebook_give_what_was_published_and_the_model_that_forecasts_it_again(home):
    told = forecasts("north", SPRING - timedelta(days=1), SPRING)
    assert len(told) == 24 + 23 and set(told["zone"]) == {"north"} and told["actual_mw"].notna().all()
    assert set(told["source_model"]) == {"aggregate"}
    model = load_forecaster("north", SPRING)
    again, candidate = model.forecast(SPRING), forecasts("north", SPRING, SPRING, model=model.model)
    assert again[list(QUANTILE_COLUMNS)].to_numpy().tolist() == candidate[list(QUANTILE_COLUMNS)].to_numpy().tolist()
    assert len(forecasts()) == 2 * (24 * (DAYS - ISSUED_FROM) - 1)


@pytest.mark.slow
@pytest.mark.xdist_group("published")
def test_a_run_is_made_again_to_the_last_digit(home):
    context, week = chain_context(), SPRING - timedelta(days=6)
    ((run_id,),) = rows(context, f"SELECT run_id FROM forecasts.model WHERE week = '{week}' AND model = 'naive_7d'")
    told = json.loads(asked_again(run_id).stdout)
    assert told["protocol"]["is_same"] and told["protocol"]["problems"][0].startswith("The model is the same, byte by byte; 334 of 334")
    kept = rows(
        context,
        f"""WITH newest AS (SELECT * FROM forecasts.scores
            WHERE day >= '{week}' AND model = 'naive_7d' AND lead_bucket = 'all' AND zone = 'south'
            QUALIFY row_number() OVER (PARTITION BY day ORDER BY known_from_utc DESC) = 1)
        SELECT sum(mae_mw * n) / sum(n), sum(n) FROM newest""",
    )
    (south,) = [row for row in told["rows"] if row["zone"] == "south"]
    assert (south["mae"], south["n"]) == (pytest.approx(kept[0][0]), kept[0][1])
    assert "No model of the lake has run" in asked_again("0" * 32).stderr


def asked_again(run_id):
    return CliRunner().invoke(main, ["backtest", "--as-of-run", run_id, "--json"])


@pytest.mark.slow
@pytest.mark.xdist_group("published")
def test_mlflow_has_one_run_a_model_with_its_weeks_as_steps(home):
    context = chain_context()
    by_hand = rows(
        context,
        """WITH newest AS (SELECT * FROM forecasts.scores WHERE lead_bucket = 'all' AND model = 'naive_2d'
            QUALIFY row_number() OVER (PARTITION BY day, zone ORDER BY known_from_utc DESC) = 1)
        SELECT avg(mae_mw) FROM newest GROUP BY date_trunc('week', day) ORDER BY date_trunc('week', day)""",
    )
    weeks = weekly_scores_of(context)
    assert set(weeks["zone_group"]) == {"all"}
    context.tracking.record_weeks("all", weeks.drop(columns="zone_group"))
    client, experiment = context.tracking._client, context.tracking._experiment_id
    (run_of_weeks,) = client.search_runs([experiment], "tags.`smartgrid.weeks_of` = 'naive_2d'")
    history = client.get_metric_history(run_of_weeks.info.run_id, "mae_mw")
    assert [metric.value for metric in history] == pytest.approx([mae for (mae,) in by_hand]) and len(history) == 2
    assert history[1].step == history[0].step + 1
    assert datetime.fromtimestamp(history[0].timestamp / 1000, UTC).date() == SPRING - timedelta(days=13)
    (of_naive,) = client.search_runs([experiment], "tags.`smartgrid.weeks_of` = 'naive_7d'")
    assert of_naive.data.metrics["pinball_to_naive_7d"] == pytest.approx(1) and run_of_weeks.data.metrics["pinball_to_naive_7d"] > 1


@pytest.mark.slow
@pytest.mark.xdist_group("published")
def test_each_group_of_zones_has_a_champion_and_a_persons_word_of_its_own(home, monkeypatch):
    before = published(chain_context())
    week, first = SPRING - timedelta(days=6), FIRST + timedelta(days=ISSUED_FROM)
    with monkeypatch.context() as parted:
        parted.setenv("SMARTGRID_ZONE_GROUPS", "windy = north")
        settings.cache_clear()
        context = chain_context()
        assert promote(context, Promotion("naive_2d", "kim", "only here", "windy"), datetime(2026, 3, 20, 8)) == week
        run(context, first, SPRING, STEPS)
        crowned = "SELECT zone_group, promoted_by FROM forecasts.champion WHERE week = ? ORDER BY ALL".replace("?", f"'{week}'")
        assert rows(context, crowned) == [("others", None), ("windy", "kim")]
        now = [row for row in published(context) if row[0] >= week]
        assert {(row[1], row[6]) for row in now} == {("north", "naive_2d"), ("south", "aggregate")}
        assert [row for row in now if row[1] == "south"] == [row for row in before if row[0] >= week and row[1] == "south"]
        assert load_forecaster("north", SPRING).model == "naive_2d"
        each = weekly_scores_of(context)
        of_north = rows(
            context,
            """SELECT avg(mae_mw) FROM (SELECT * FROM forecasts.scores WHERE lead_bucket = 'all' AND model = 'naive_2d' AND zone = 'north'
            QUALIFY row_number() OVER (PARTITION BY day ORDER BY known_from_utc DESC) = 1) GROUP BY date_trunc('week', day) ORDER BY 1""",
        )
        windy = each[(each["zone_group"] == "windy") & (each["model"] == "naive_2d")]
        assert sorted(windy["mae_mw"]) == pytest.approx([mae for (mae,) in of_north])
        assert set(each["zone_group"]) == {"all", "others", "windy"}
        with pytest.raises(SmartGridError, match=r"no zone group calm .*there are all, others, windy"):
            promote(context, Promotion("naive_2d", "kim", "x", "calm"), datetime(2026, 3, 20, 8))
        promote(context, Promotion("naive_7d", "kim", "everywhere", "all"), datetime(2026, 3, 20, 9))
        run(context, first, SPRING, STEPS)
        assert {(row[1], row[6]) for row in published(context) if row[0] >= week} == {("north", "naive_7d"), ("south", "naive_7d")}
        promote(context, Promotion("", "kim", "enough", "all"), datetime(2026, 3, 20, 10))
    settings.cache_clear()
    run(chain_context(), first, SPRING, STEPS)
    assert published(chain_context()) == before


def weekly_scores_of(context):
    with context.lake.connect() as con:
        return weekly_scores(Work(context, con, SPRING, {}))


@pytest.mark.slow
@pytest.mark.xdist_group("published")
@pytest.mark.parametrize(
    ("asked", "sentence"),
    [(("west", SPRING), "has no zone west; it has north, south"), (("north", FIRST), "no fitted model"), (("north", "soon"), "is no day")],
)
def test_what_is_not_there_is_a_sentence(home, asked, sentence):
    with pytest.raises(SmartGridError, match=sentence):
        load_forecaster(*asked)


@pytest.mark.slow
@pytest.mark.xdist_group("published")
def test_a_person_promotes_a_model_for_weeks_to_come_and_takes_it_back(home):
    context, week = chain_context(), SPRING - timedelta(days=6)
    issued = published(context)
    early = [row for row in issued if row[0] < week]

    def decided(model, now):
        assert promote(context, Promotion(model, "kim", "the aggregate is new"), now) == week
        run(context, FIRST + timedelta(days=ISSUED_FROM), SPRING, STEPS)
        found = published(context)
        assert [row for row in found if row[0] < week] == early
        return found

    of_week = [row for row in decided("naive_2d", datetime(2026, 3, 20, 12)) if row[0] >= week]
    assert {row[6:] for row in of_week} == {("naive_2d", False, "")}
    assert rows(context, f"SELECT model, promoted_by, why FROM forecasts.champion WHERE week = '{week}'") == [
        ("naive_2d", "kim", "promoted by kim: the aggregate is new")
    ]
    assert decided("", datetime(2026, 3, 21, 12)) == issued
    with pytest.raises(SmartGridError, match="prophet is not run"):
        promote(context, Promotion("prophet", "kim", "x"), datetime(2026, 3, 20, 12))
