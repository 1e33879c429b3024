"""Jobs that a person or the daemon starts: ingest what waits in the inbox; the night; the rest of a day planned anew."""

from datetime import date, timedelta
from typing import Any

import dagster as dg

from smartgrid_assets.chain.ingest import FileReport
from smartgrid_assets.chain.ingest import ingest_waiting as read_inbox
from smartgrid_assets.chain.issue import issue
from smartgrid_assets.chain.replay import night
from smartgrid_assets.defs.assets.acquire import materialization
from smartgrid_assets.defs.dead_runs import end_dead_runs
from smartgrid_assets.defs.launch import through_dagster
from smartgrid_assets.defs.resources import Chain
from smartgrid_assets.domain.market_day import day_of
from smartgrid_assets.resources.clock import now_utc
from smartgrid_assets.resources.inbox import content_hash


@dg.op(description="Read every file that waits in inbox/ into raw/*.")
def ingest_waiting(context: dg.OpExecutionContext, chain: Chain) -> None:
    """Each table's market days that came are marked as materialized; refused files are named in the log."""
    night_context, inbox, now = chain.context(context.run_id), chain.inbox(), now_utc()
    reports = read_inbox(night_context, inbox, content_hash, now)
    night_context.lake.refresh_catalog()
    for report in reports:
        context.log.info(f"{report.verdict}: {report.name}: {' '.join(report.reasons)}")
    for day in sorted({day for report in reports for day in report.days}):
        context.log_event(materialization("raw/meter_readings", day.isoformat(), _touching(reports, day)))


def _touching(reports: list[FileReport], day: date) -> int:
    return sum(day in report.days for report in reports)


@dg.op(
    ins={"inbox_read": dg.In(dg.Nothing)},
    description="The night: newest days in, tomorrow's forecast and plan out, in several Dagster runs of their own.",
)
def run_night(context: dg.OpExecutionContext, chain: Chain) -> None:
    """The same code as `smartgrid night`; its runs are tagged smartgrid/why=night."""
    from smartgrid_assets.chain.why_changed import reasons_to_tell  # pandas, which loading the definitions does not need

    night_context = chain.context(context.run_id)
    end_dead_runs(context.instance)
    today = day_of(now_utc(), night_context.settings.timezone)
    job: Any = context.repository_def.get_implicit_global_asset_job_def()
    tonight = night(night_context, today, through_dagster(night_context, job, context.instance, "night"))
    rows = issue(night_context, today + timedelta(days=1), today, now_utc())
    night_context.lake.refresh_catalog()
    for sentence in reasons_to_tell(night_context, today + timedelta(days=1)):
        context.log.info(f"forecast of {today + timedelta(days=1)}, {sentence}")
    context.log.info(f"{len(tonight.done)} partitions made; issued: {rows}")
    if tonight.trouble:
        raise dg.Failure(tonight.trouble, allow_retries=False)


@dg.job(description="Ingest what waits in inbox/.", executor_def=dg.in_process_executor, tags={"smartgrid/why": "inbox"})
def ingest_inbox() -> None:
    """Run by the sensor on inbox/, or by hand."""
    ingest_waiting()


class ReplanConfig(dg.Config):
    """As the options of `smartgrid replan`; day and at empty = of now."""

    why: str
    day: str = ""
    at: str = ""
    load_percent: float = 0.0


@dg.op(description="Plan the hours of a day that are left anew: an outage, a newer weather forecast, another load.")
def plan_anew(context: dg.OpExecutionContext, chain: Chain, config: ReplanConfig) -> None:
    """The same code as `smartgrid replan`; what changes is named in the log."""
    from smartgrid_assets.chain.replanning import record, replan, told
    from smartgrid_assets.domain.market_day import moment_of

    run = chain.context(context.run_id)
    tz, now = run.settings.timezone, now_utc()
    at = moment_of(config.at, tz) if config.at else now
    day = date.fromisoformat(config.day) if config.day else day_of(at, tz)
    made = replan(run, day, at, config.load_percent)
    record(run, day, made, config.why, now)
    run.lake.refresh_catalog()
    for sentence in told(made, tz):
        context.log.info(sentence)
    for path in ("dispatch/replan", "dispatch/replan_summary"):
        context.log_event(materialization(path, day.isoformat(), 1))


@dg.job(description="Plan the rest of a day anew.", executor_def=dg.in_process_executor, tags={"smartgrid/why": "replan"})
def replan_day() -> None:
    """Run by hand, with its config."""
    plan_anew()


@dg.job(description="What a night must do.", executor_def=dg.in_process_executor, tags={"smartgrid/why": "night"})
def nightly() -> None:
    """Run by the schedule, or by hand."""
    run_night(ingest_waiting())
