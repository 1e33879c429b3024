"""How far back do suspects and cases look? Read by the chain, which loads nothing heavy to know it."""

from __future__ import annotations

SINCE_DAYS = (3, 5, 7, 10, 14, 21, 28)
"""A change is looked for that began so many days ago."""
BASE_DAYS = 56
"""Days before the longest of these, that a meter's level is held against."""
SUSPECTS_LOOK_BACK_DAYS = max(SINCE_DAYS) + BASE_DAYS - 1
CASES_LOOK_BACK_DAYS = 91
"""Days of suspects that cases are raised from: more than a case stands, and its evidence lasts before."""
VERDICTS_COUNT_DAYS = 365
"""Verdicts older than this count no longer: thieves and meters change."""
JUDGED_WITHIN_DAYS = 91
"""A week's evaluation takes in the verdicts of so many days after it."""
