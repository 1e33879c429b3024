"""What starts runs by itself: files in the inbox, partitions that a late file made stale, and failures to tell of."""

import hashlib
import json
import urllib.request
from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from smartgrid_assets.chain.replay import made_stale, steps, stretches
from smartgrid_assets.chain.step import Step
from smartgrid_assets.defs.jobs import ingest_inbox
from smartgrid_assets.defs.launch import range_tags
from smartgrid_assets.defs.resources import Chain, dagster_url
from smartgrid_assets.defs.step_asset import ONLY_DUE, asset_keys
from smartgrid_assets.home import chain_context
from smartgrid_assets.settings import settings

WEBHOOK_TIMEOUT_S = 10


@dg.sensor(job=ingest_inbox, minimum_interval_seconds=30, description="Ingests what arrives in inbox/.")
def inbox_files(context: dg.SensorEvaluationContext, chain: Chain) -> dg.SensorResult | dg.SkipReason:
    """One run for the files that wait; none while the same files are still being read."""
    waiting = chain.inbox().waiting()
    if not waiting:
        return dg.SkipReason("inbox/ is empty")
    state = json.dumps([(f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in waiting])
    fingerprint = hashlib.sha256(state.encode()).hexdigest()[:16]
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=fingerprint)], cursor=fingerprint)


def _asset_job(cadence: str) -> Any:
    """A job over all assets that are made by day, or by week: one job cannot hold both kinds of partitions."""
    keys = [key for step in steps() if step.cadence == cadence for key in asset_keys(step)]
    return dg.define_asset_job(f"stale_{cadence}s", selection=dg.AssetSelection.assets(*keys))


stale_days, stale_weeks = _asset_job("day"), _asset_job("week")


@dg.sensor(
    jobs=[stale_days, stale_weeks],
    minimum_interval_seconds=60,
    description="Requests exactly the partitions that deliveries made stale, one step of the chain at a time.",
)
def stale_partitions(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Recipes decide (domain/lineage.py). A request that failed is not repeated until something changes again."""
    chain = chain_context()
    found = made_stale(chain)
    if found is None:
        return dg.SkipReason("nothing is stale")
    step, keys = found
    state = f"{step.name} {keys} " + " ".join(str(sorted((step.inputs(chain, key) or {}).items())) for key in keys)
    fingerprint = hashlib.sha256(state.encode()).hexdigest()[:16]
    if fingerprint == context.cursor:
        return dg.SkipReason(f"{step.name}: {len(keys)} partitions are requested already, or failed")
    return dg.SensorResult(run_requests=list(_requests(step, keys, fingerprint)), cursor=fingerprint)


def _requests(step: Step, keys: list[date], fingerprint: str) -> Iterator[dg.RunRequest]:
    for stretch in stretches(keys, step):
        yield dg.RunRequest(
            run_key=f"{fingerprint}-{stretch[0]}",
            job_name=f"stale_{step.cadence}s",
            asset_selection=asset_keys(step),
            tags=range_tags(step, stretch) | {"smartgrid/why": "stale", ONLY_DUE: "true"},
        )


@dg.run_failure_sensor(description="Tells of failed runs by webhook and log (SMARTGRID_WEBHOOK_URL, SMARTGRID_NOTIFY_LOG; off by default).")
def tell_of_failure(context: dg.RunFailureSensorContext) -> None:
    """One message an incident: a run that was retried tells once, for its first attempt."""
    run = context.dagster_run
    if run.parent_run_id is not None:
        return
    message = {
        "text": f"SmartGridAI: {run.tags.get('smartgrid/step', run.job_name)} failed: {context.failure_event.message}",
        "run": dagster_url(run.run_id),
    }
    if settings().notify_log:
        with (settings().dagster_home / "incidents.log").open("a") as log:
            log.write(json.dumps(message) + "\n")
    if address := settings().webhook_url:
        post(address, message)


def post(address: str, message: dict[str, str]) -> None:
    """POST a message as JSON to a webhook of http or https; any other scheme is refused."""
    if not address.startswith(("https://", "http://")):
        raise ValueError("SMARTGRID_WEBHOOK_URL must begin with https:// or http://")
    request = urllib.request.Request(address, json.dumps(message).encode(), {"Content-Type": "application/json"})  # noqa: S310
    urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S).close()  # noqa: S310
