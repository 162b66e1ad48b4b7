"""The table that every model returns: how the depot fills and empties."""

import numpy as np
import polars as pl

from subq_toolkit.absorption.given import Numbers
from subq_toolkit.absorption.stretches import Moments


def course(
    asked: Moments, *, depot_ml: Numbers, absorption_ml_per_h: Numbers, available: float = 1.0
) -> pl.DataFrame:
    """One row for each time asked for, in the order asked.

    Parameters
    ----------
    asked
        The times and what was delivered by then.
    depot_ml
        Under the skin, at all sites together. [mL]
    absorption_ml_per_h
        Rate at which the depot is absorbed. [mL/h]
    available
        Share of the delivered amount that enters the depot. [1]

    Returns
    -------
    pl.DataFrame
        ``time_h``, ``delivered_ml``, ``depot_ml``, ``absorbed_ml``, ``absorption_ml_per_h``.
        What entered and is not in the depot is absorbed.
    """
    absorbed = np.maximum(asked.delivered_ml * available - depot_ml, 0.0)
    return pl.DataFrame(
        {
            "time_h": asked.time_h,
            "delivered_ml": asked.delivered_ml,
            "depot_ml": depot_ml,
            "absorbed_ml": absorbed,
            "absorption_ml_per_h": absorption_ml_per_h,
        }
    )
