"""Delivered files into raw: what is kept, what is refused, what is said."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.domain.errors import LakeWriteError
from smartgrid_assets.home import chain_context
from smartgrid_assets.resources.inbox import Inbox
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, FLEET, deliver, file_of, lines_of, morning_after, place, rows, run


@pytest.fixture
def quiet(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SMARTGRID_MODELS", "naive_2d,naive_7d")
    settings.cache_clear()
    return home


def test_the_same_file_twice_changes_nothing(quiet: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 2)
    assert {report.verdict for report in deliver(context, *files)} == {"accepted"}
    before = sorted((p.name, p.stat().st_mtime_ns) for p in context.lake.root.rglob("*.parquet"))
    assert {report.verdict for report in deliver(context, *files)} == {"already known"}
    assert sorted((p.name, p.stat().st_mtime_ns) for p in context.lake.root.rglob("*.parquet")) == before


def test_files_outside_the_inbox_are_copied_and_never_touched(quiet: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 1)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path, _ in files}
    deliver(context, *files)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path, _ in files} == before
    assert len(list(settings().inbox.glob("accepted/*/*"))) == 2


def test_refused_inbox_files_go_to_quarantine_with_their_reason(quiet: Path, tmp_path: Path) -> None:
    context, _ = place(tmp_path / "in", 0)
    inbox = settings().inbox
    inbox.mkdir(parents=True)
    (inbox / "empty.csv").write_text("")
    (inbox / "photo.csv").write_bytes(bytes(range(256)) * 20)
    (inbox / "theirs.csv").write_text("kunde;zaehlwerk;strasse\n1;2;Hauptstrasse\n")
    reports = deliver(context, *((path, morning_after(FIRST)) for path in Inbox(inbox).waiting()))
    assert [report.verdict for report in reports] == ["refused"] * 3
    assert Inbox(inbox).waiting() == []
    reasons = {path.name[17:]: path.read_text() for path in Inbox(inbox).quarantine.glob("*.reason.txt")}
    assert "kunde" in reasons["theirs.csv.reason.txt"] and "--mapping" in reasons["theirs.csv.reason.txt"]
    assert set(reasons) == {"empty.csv.reason.txt", "photo.csv.reason.txt", "theirs.csv.reason.txt"}


def test_a_truncated_file_keeps_its_good_lines_and_the_whole_one_completes_it(quiet: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 1)
    whole = files[1][0].read_text()
    cut = tmp_path / "in" / "cut.csv"
    cut.write_text(whole[: len(whole) * 2 // 3].rsplit(",", 3)[0])
    reports = deliver(context, files[0], (cut, morning_after(FIRST)))
    assert reports[-1].verdict == "partly" and reports[-1].rejected == 1
    deliver(context, (files[1][0], morning_after(FIRST) + timedelta(hours=1)))
    run(context, FIRST, FIRST, "validated")
    assert rows(context, "SELECT count(*), count(energy_kwh) FROM validated.meter_readings WHERE quality = 'measured'") == [(72, 72)]


def test_a_correction_wins_and_the_earlier_value_is_kept(quiet: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 1)
    deliver(context, *files)
    corrected = file_of(tmp_path / "in", "corrected.csv", lines_of(FIRST, ["A1"], {("A1", 5): 9.5}))
    deliver(context, (corrected, morning_after(FIRST) + timedelta(days=3)))
    run(context, FIRST, FIRST, "validated")
    at_five = "WHERE meter_id = 'A1' ORDER BY interval_start_utc LIMIT 1 OFFSET 5"
    assert rows(context, f"SELECT energy_kwh FROM validated.meter_readings {at_five}") == [(9.5,)]
    assert len(rows(context, "SELECT * FROM validated.earlier_readings WHERE meter_id = 'A1'")) >= 1
    assert rows(context, "SELECT count(*) FROM raw.meter_readings WHERE meter_id = 'A1'") == [(48,)]


def test_any_order_of_delivery_gives_the_same_tables(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = []
    for n in range(4):
        monkeypatch.setenv("SMARTGRID_HOME", str(tmp_path / f"home{n}"))
        settings.cache_clear()
        context, files = place(tmp_path / "in", 3)
        late = file_of(tmp_path / "in", "late.csv", lines_of(FIRST, ["A2"], {("A2", 3): 0.7}))
        every = [*files, (late, morning_after(FIRST) + timedelta(days=2))]
        random.Random(n).shuffle(every)
        for delivery in every:
            deliver(context, delivery)
        run(context, FIRST, FIRST + timedelta(days=2), "validated,features")
        tables.append(
            {
                path: [context.lake.digest(path, day) for day in context.lake.keys(path)]
                for path in ("validated/meter_readings", "validated/earlier_readings", "features/load")
            }
        )
    assert tables[1:] == tables[:1] * 3


def test_a_corrected_mapping_supersedes_what_the_wrong_one_made(quiet: Path, tmp_path: Path) -> None:
    from smartgrid_assets.chain.ingest import Delivery, ingest
    from smartgrid_assets.domain.acquire.mapping import read_mapping
    from smartgrid_assets.resources.inbox import content_hash

    context, _ = place(tmp_path / "in", 0)
    file = tmp_path / "in" / "odd.csv"
    file.write_text("zeit,wert\n" + "".join(f"2026-03-02 {h:02}:00,{h}\n" for h in range(24)))
    text = '[time]\ncolumn = "zeit"\nstamps = "start"\nzone = "{zone}"\n[meter]\nid = "X"\n[value]\ncolumn = "wert"\nunit = "kWh"\n'
    for zone, now in (("UTC", 1), ("Europe/Berlin", 2)):
        mapping = read_mapping('layout = "long"\ninterval_minutes = 60\n' + text.format(zone=zone), "odd")
        ingest(
            context,
            Inbox(settings().inbox),
            content_hash,
            [Delivery(file, morning_after(FIRST))],
            morning_after(FIRST) + timedelta(hours=now),
            mapping,
        )
    run(context, FIRST, FIRST + timedelta(days=1), "validated")
    assert rows(context, "SELECT day, count(*), sum(energy_kwh) FROM validated.meter_readings GROUP BY 1") == [(FIRST, 24, 276.0)]


def test_a_killed_ingest_is_not_half_seen_and_the_next_one_finishes_it(
    quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, files = place(tmp_path / "in", 2)
    from smartgrid_assets.chain.ingest import _Batch

    monkeypatch.setattr(_Batch, "_record", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))  # all is written, nothing recorded
    with pytest.raises(KeyboardInterrupt):
        deliver(context, *files)
    assert rows(context, "SELECT count(*) FROM raw.meter_readings") == [(0,)]
    monkeypatch.undo()
    deliver(context, *files)
    assert rows(context, "SELECT count(*) FROM raw.meter_readings") == [(2 * 72,)]


def test_a_file_is_kept_once_though_its_twin_is_read_before_the_first_is_recorded(
    quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smartgrid_assets.chain.ingest.ROWS_A_BATCH", 1)
    context, files = place(tmp_path / "in", 1)
    twin = tmp_path / "in" / "twin.csv"
    twin.write_bytes(files[-1][0].read_bytes())
    verdicts = [report.verdict for report in deliver(context, *files, (twin, files[-1][1]))]
    assert sorted(verdicts) == ["accepted", "accepted", "already known"]
    assert rows(context, "SELECT count(*), count(DISTINCT source_hash) FROM raw.meter_readings") == [(72, 1)]


def test_where_a_batch_cannot_be_kept_none_after_it_is_and_those_before_it_stand(
    quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smartgrid_assets.chain.ingest.ROWS_A_BATCH", 1)
    context, files = place(tmp_path / "in", 4)
    from smartgrid_assets.chain.ingest import _Batch

    keep, kept = _Batch.keep, list[str]()

    def fail_at_the_third(batch: _Batch, *given: object) -> None:
        if len(kept) == 2:
            raise LakeWriteError("no space")
        keep(batch, *given)  # type: ignore[arg-type]
        kept.append(batch.reads[0].name)

    monkeypatch.setattr(_Batch, "keep", fail_at_the_third)
    with pytest.raises(LakeWriteError, match="no space"):
        deliver(context, *files)
    assert len(kept) == 2 and rows(context, "SELECT count(*) FROM raw.deliveries") == [(2,)]
    monkeypatch.undo()
    verdicts = [report.verdict for report in deliver(context, *files)]
    assert verdicts.count("already known") == 2 and rows(context, "SELECT count(*) FROM raw.deliveries") == [(len(files),)]


@pytest.mark.parametrize("large_day", [pytest.param(1, id="days picked out"), pytest.param(10**9, id="days parted")])
def test_a_large_file_makes_fragments_of_its_own_and_the_same_rows(
    quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large_day: int
) -> None:
    lines = [line for n in range(3) for line in lines_of(FIRST + timedelta(days=n))]
    files = [(file_of(tmp_path / "in", f"part{n}.csv", lines[n::2]), morning_after(FIRST + timedelta(days=3))) for n in range(2)]
    seen = []
    for home, apart in (("gathered", 10**9), ("apart", 10)):
        monkeypatch.setattr("smartgrid_assets.chain.ingest.ROWS_APART", apart)
        monkeypatch.setattr("smartgrid_assets.resources.fragments.LARGE_DAY", large_day)
        context = chain_context(chosen=settings().model_copy(update={"home": tmp_path / home}))
        deliver(context, *files)
        fragments = [len(context.lake.files("raw/meter_readings", [FIRST + timedelta(days=n)])) for n in range(3)]
        seen.append(rows(context, "SELECT meter_id, interval_start_utc, value, day FROM raw.meter_readings ORDER BY ALL"))
        assert fragments == ([1] * 3 if home == "gathered" else [2] * 3)
    assert seen[0] == seen[1] and len(seen[0]) == 3 * 72


def test_what_is_not_on_the_disk_yet_is_flushed_before_it_counts(quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from smartgrid_assets.resources.fragments import Fragments

    flushed: list[int] = []
    monkeypatch.setattr(Fragments, "settle", staticmethod(lambda: flushed.append(1)))
    context, files = place(tmp_path / "in", 2)
    deliver(context, files[0])
    assert not flushed  # a day to a fragment: each was flushed when it was written
    lines = [line for n in range(2) for line in lines_of(FIRST + timedelta(days=n))]
    deliver(context, (file_of(tmp_path / "in", "two_days.csv", lines), morning_after(FIRST + timedelta(days=2))))
    assert flushed


def test_many_fragments_of_a_day_are_compacted_and_read_the_same(quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smartgrid_assets.resources.fragments.COMPACT_FROM", 4)
    context, _ = place(tmp_path / "in", 1)
    for n, meter in enumerate(("A1", "A2", "B1", "C1", "C2", "C3")):
        deliver(context, (file_of(tmp_path / "in", f"{meter}.csv", lines_of(FIRST, [meter])), morning_after(FIRST) + timedelta(minutes=n)))
    assert len(context.lake.files("raw/meter_readings", [FIRST])) < 6
    assert rows(context, "SELECT count(*), count(DISTINCT source_hash) FROM raw.meter_readings") == [(6 * 24, 6)]


def test_a_fleet_is_understood_when_it_comes_and_its_unit_may_be_called_unit_or_name(home: Path, tmp_path: Path) -> None:
    from smartgrid_assets.domain.plan.fleet import fleet_from_rows

    context, _ = place(tmp_path / "in", 0)
    fleet_file = FLEET.format(zone="north")
    for n, text in enumerate((fleet_file.replace("name =", "unit =").replace("steam", "peaker"), fleet_file)):
        (tmp_path / f"fleet{n}.toml").write_text(text)
        (report,) = deliver(context, (tmp_path / f"fleet{n}.toml", morning_after(FIRST)))
        assert report.verdict == "accepted", report.reasons
    found = rows(context, "SELECT unit, kind, zone, spec FROM raw.fleet ORDER BY unit")
    fleet = fleet_from_rows(dict(zip(("unit", "kind", "zone", "spec"), row, strict=True)) for row in found)
    assert [unit.name for unit in fleet.thermal] == ["peaker north", "steam north"]


def test_a_fleet_that_no_plan_could_use_is_refused_with_the_key_that_is_not_known(home: Path, tmp_path: Path) -> None:
    context, _ = place(tmp_path / "in", 0)
    (tmp_path / "fleet.toml").write_text(FLEET.format(zone="north").replace("cost_curve", "costs"))
    (report,) = deliver(context, (tmp_path / "fleet.toml", morning_after(FIRST)))
    assert report.verdict == "refused" and "costs" in report.reasons[0]
    assert rows(context, "SELECT count(*) FROM raw.fleet") == [(0,)]


def test_a_meter_with_day_and_month_exchanged_does_not_overwrite_the_day_on_which_it_falls(quiet: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 0)
    march, may = date(2026, 3, 5), date(2026, 5, 3)
    true = file_of(tmp_path / "in", "march.csv", lines_of(march))
    # in the file of 3 May, meter A1 writes its stamps as 3 May -> 5 March
    exchanged = [line.replace("2026-05-03", "2026-03-05") if line.startswith("A1") else line for line in lines_of(may)]
    wrong = file_of(tmp_path / "in", "may.csv", exchanged)
    deliver(context, *files, (true, morning_after(march)), (wrong, morning_after(may)))
    run(context, march, march, "validated")
    run(context, may, may, "validated")
    found = rows(context, "SELECT DISTINCT rule, day FROM validated.rejected_readings")
    assert found == [("day_month_swap", march)]
    day = "SELECT energy_kwh, flags FROM validated.meter_readings WHERE day = '2026-03-05' AND meter_id = 'A1' ORDER BY interval_start_utc"
    assert rows(context, day) == [(float(line.split(",")[4]), "") for line in lines_of(march, ["A1"])]
