"""What wind and sun offer, from forecast weather: simple curves, good for a day ahead and said to be so.

Wind: cubic between cut-in and rated speed, extrapolated from 10 m to hub height by the 1/7 power law. Sun:
proportional to irradiance, with a performance ratio. Source: Burton et al. 2011, Wind Energy Handbook, ch. 3; IEC 61724-1.
"""

from __future__ import annotations

import numpy as np

CUT_IN_M_S, RATED_M_S, CUT_OUT_M_S = 3.0, 12.0, 25.0
HUB_FACTOR = (100 / 10) ** (1 / 7)
PERFORMANCE_RATIO = 0.85
STANDARD_IRRADIANCE_W_M2 = 1000.0


def wind_mw(p_max_mw: float, wind_speed_m_s: np.ndarray) -> np.ndarray:
    """Power of a wind farm from wind speed at 10 m, MW; 0 where the speed is unknown.

    >>> wind_mw(10.0, np.array([0.0, 20.0, np.nan])).tolist()
    [0.0, 0.0, 0.0]
    """
    speed = np.nan_to_num(wind_speed_m_s) * HUB_FACTOR
    share = (speed**3 - CUT_IN_M_S**3) / (RATED_M_S**3 - CUT_IN_M_S**3)
    return p_max_mw * np.where(speed >= CUT_OUT_M_S, 0.0, np.clip(share, 0.0, 1.0))


def solar_mw(p_max_mw: float, irradiance_w_m2: np.ndarray) -> np.ndarray:
    """Power of a solar park from global irradiance, MW; 0 where it is unknown.

    >>> solar_mw(10.0, np.array([0.0, 500.0])).tolist()
    [0.0, 4.25]
    """
    share = np.nan_to_num(irradiance_w_m2) / STANDARD_IRRADIANCE_W_M2 * PERFORMANCE_RATIO
    return p_max_mw * np.clip(share, 0.0, 1.0)
