"""Where does each random number come from?

Not from one stream drawn in order: every purpose, day and block of meters has a generator of its own. So one day can be
made without the days before it, and a longer span or one more meter leaves what was there as it was.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np


def generator(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """The generator of that purpose and keys (say a day's ordinal, a block's number); same call, same numbers.

    >>> bool(generator(7, "clouds", 3).random() == generator(7, "clouds", 3).random())
    True
    >>> bool(generator(7, "clouds", 3).random() == generator(7, "clouds", 4).random())
    False
    """
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, crc32(purpose.encode()), *keys])))
