"""What a feeder measured and what its customers' meters counted, as SQL: for the check of a day, and for the balance that detection goes by.

Net as in features/load: gross generation is taken off only where the meter has no export, which else is net of it already.
"""

from __future__ import annotations

_NET = "CASE direction WHEN 'import' THEN kwh WHEN 'export' THEN -kwh WHEN 'generation' THEN CASE WHEN NOT exports THEN -kwh END END"


def feeder_sums(readings: str, keys: str) -> str:
    """A SELECT of keys, meters, measured_kwh, metered_kwh, flow_kwh and guessed_share, a row a feeder.

    readings: a SELECT of keys (feeder among them), role, meter_id, channel, energy_kwh and quality; rows without a feeder are passed over.
    """
    return f"""
        WITH series AS (
            SELECT {keys}, role, meter_id, split_part(channel, ':', 1) AS direction, sum(energy_kwh) AS kwh,
                count(*) AS readings, count(*) FILTER (quality IN ('estimated', 'missing')) AS guessed
            FROM ({readings}) WHERE feeder <> '' GROUP BY ALL),
        signed AS (SELECT *, bool_or(direction = 'export') OVER (PARTITION BY meter_id) AS exports FROM series)
        SELECT {keys}, count(DISTINCT meter_id) FILTER (role = 'customer') AS meters,
            sum({_NET}) FILTER (role = 'feeder') AS measured_kwh, sum({_NET}) FILTER (role = 'customer') AS metered_kwh,
            sum(abs({_NET})) FILTER (role = 'customer') AS flow_kwh, sum(guessed) / sum(readings) AS guessed_share
        FROM signed GROUP BY ALL"""
