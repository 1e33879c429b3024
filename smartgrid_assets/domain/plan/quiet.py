"""A HiGHS that prints nothing."""

from __future__ import annotations

from typing import Any


def quiet_highs(options: dict[str, Any]) -> Any:
    """A new solver with these options."""
    import highspy
    from pyomo.common.tee import capture_output

    with capture_output(capture_fd=True):  # its banner, which comes before any option could silence it
        highs = highspy.Highs()
    for name, value in {"output_flag": False, **options}.items():
        highs.setOptionValue(name, value)
    return highs
