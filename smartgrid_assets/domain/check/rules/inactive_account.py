"""Is energy used where nobody has an account?

Only marked: it is used, and somebody will be billed for it. An inactive meter that is silent is not missed.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _when(limits: CheckLimits) -> str:
    return f"status = 'inactive' AND starts_with(channel, 'import') AND day_kwh > {limits.dust_kwh}"


def _sql(given: RuleInput) -> str:
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || energy_kwh || ' kWh, and the account is inactive on this day. Kept; ask for a move that was not reported, '
            || 'or use without a contract.' AS reason
        FROM {given.readings} r
        WHERE status = 'inactive' AND starts_with(channel, 'import') AND energy_kwh > {given.limits.dust_kwh}"""


RULE = Rule(
    name="inactive_account",
    version=1,
    meaning="Energy is used at a meter whose account is inactive on that day.",
    source="Edison Electric Institute, Uniform Business Practices: usage on an inactive meter",
    sql=_sql,
    when=_when,
)
