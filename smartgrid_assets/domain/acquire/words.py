"""What files call channels, units and qualities, and what we call them."""

from __future__ import annotations

from smartgrid_assets.domain.acquire.sql import literal

CHANNEL_WORDS = {
    "import": "import", "consumption": "import", "delivered": "import", "consumed": "import", "e1": "import", "load": "import",
    "export": "export", "received": "export", "feed-in": "export", "feed_in": "export", "b1": "export",
    "generation": "generation", "production": "generation", "solar": "generation", "pv": "generation",
}  # fmt: skip
UNIT_WORDS = {"kwh": "kWh", "wh": "Wh", "mwh": "MWh", "kw": "kW", "w": "W", "mw": "MW"}
QUALITY_WORDS = {
    "measured": "measured", "actual": "measured", "a": "measured", "valid": "measured", "ok": "measured", "good": "measured",
    "": "measured",
    "substituted": "substituted", "estimated": "substituted", "estimate": "substituted", "e": "substituted", "s": "substituted",
    "f": "substituted", "final substituted": "substituted",
    "missing": "missing", "null": "missing", "n": "missing", "none": "missing",
}  # fmt: skip


def word(text: str, words: dict[str, str]) -> str:
    """SQL: our word for what the file says, null where it is unknown; capitals and blanks do not matter."""
    by_ours: dict[str, list[str]] = {}
    for said, ours in words.items():
        by_ours.setdefault(ours, []).append(said)
    said_so = f"lower(trim(coalesce({text}, '')))"
    # nearly all files write them in one of three ways: compare those as they are, and look closer only at others
    usual = " ".join(
        f"WHEN {text} IN ({_listed({*(way(word) for word in said for way in (str, str.upper, str.capitalize)), *_own_way(ours, words)})}) THEN {literal(ours)}"
        for ours, said in by_ours.items()
    )
    cases = " ".join(f"WHEN {said_so} IN ({_listed(set(said))}) THEN {literal(ours)}" for ours, said in by_ours.items())
    return f"CASE {usual} ELSE CASE {cases} END END"


def _own_way(ours: str, words: dict[str, str]) -> set[str]:
    return {ours} if words.get(ours.lower()) == ours else set()


def _listed(words: set[str]) -> str:
    return ", ".join(map(literal, sorted(words)))
