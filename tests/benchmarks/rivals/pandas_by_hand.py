"""pandas as an analyst writes it: sort, then the latest stop so far within each encounter.

Answers the narrow question only; rows that cannot be right are left out without a word.
"""

import numpy as np
import pandas as pd

from .given import SITE_LIMITS, SOONER, USD, Given

_TIMES = ["encounter_id", "start_at", "stop_at", "route", "mode"]


def coding(given: Given) -> pd.DataFrame:
    """Minutes and units of every encounter."""
    minutes = _minutes(_runs(given))
    return pd.DataFrame({"minutes": minutes, **_units(minutes)}).reset_index()


def summary(given: Given) -> pd.DataFrame:
    """Encounters counted by minutes, month and payer."""
    runs = _runs(given, "payer")
    groups = runs.groupby("encounter_id", sort=False)
    table = groups.agg(start=("start_at", "min"), payer=("payer", "first"))
    table["minutes"] = _minutes(runs)
    table["month"] = table["start"].dt.tz_localize(None).to_numpy().astype("datetime64[M]")
    by = ["minutes", "month", "payer"]
    return table.groupby(by, dropna=False).size().rename("encounters").reset_index()


def scenario(given: Given) -> pd.DataFrame:
    """Minutes from the file, then units and amounts under both steps."""
    minutes = _minutes(_runs(given))
    rows = []
    for name, sooner in SOONER.items():
        for column, units in _units(minutes + sooner).items():
            code = column.removeprefix("units_")
            count = int(units.sum())
            rows.append({"scenario": name, "code": code, "units": count, "usd": count * USD[code]})
    return pd.DataFrame(rows)


def audit(given: Given) -> pd.DataFrame:
    """Units billed and supported by encounter and code."""
    charges = pd.read_parquet(given.charges, columns=["encounter_id", "code", "units"])
    billed = charges.groupby(["encounter_id", "code"], as_index=False)["units"].sum()
    supported = given.chart_in_pandas.melt("encounter_id", var_name="code", value_name="supported")
    supported = supported[supported["supported"] > 0]
    supported["code"] = supported["code"].str.removeprefix("units_")
    both = billed.merge(supported, on=["encounter_id", "code"], how="outer")
    both = both.rename(columns={"units": "billed"})
    return both.fillna({"billed": 0, "supported": 0})


def limits(given: Given) -> pd.DataFrame:
    """The largest share of the flow limit at a site, by encounter."""
    asked = [*_TIMES, "drug", "rate_ml_per_h", "volume_ml", "needles"]
    rows = pd.read_parquet(given.administrations, columns=asked)
    rows = rows[rows["route"] == "subcutaneous"]
    hours = (rows["stop_at"] - rows["start_at"]).dt.total_seconds() / 3600
    mean = (rows["volume_ml"] / hours).where((hours > 0) & (rows["mode"] != "bolus"))
    rate = rows["rate_ml_per_h"].fillna(mean)
    use = rate / rows["needles"] / rows["drug"].map(SITE_LIMITS)
    return use.groupby(rows["encounter_id"], sort=False).max().rename("site_rate_use").reset_index()


def _runs(given: Given, *more: str) -> pd.DataFrame:
    rows = pd.read_parquet(given.administrations, columns=[*_TIMES, *more])
    counts = (rows["route"] == "subcutaneous") & (rows["mode"] != "bolus")
    rows = rows[counts & (rows["stop_at"] >= rows["start_at"])]
    return rows.sort_values(["encounter_id", "start_at", "stop_at"])


def _minutes(runs: pd.DataFrame) -> pd.Series:
    start, stop = runs["start_at"].astype("int64"), runs["stop_at"].astype("int64")
    ended = stop.groupby(runs["encounter_id"], sort=False).cummax()
    before = ended.shift(1).where(runs["encounter_id"] == runs["encounter_id"].shift(1), start)
    ran = (stop - np.maximum(start, before)).clip(lower=0)
    counted = ran.groupby(runs["encounter_id"], sort=False).sum()
    return (counted // 60_000_000).astype("int64")


def _units(minutes: pd.Series) -> dict[str, pd.Series]:
    first = (minutes >= 16).astype("int64")
    further = ((minutes - 31) // 60).clip(lower=0)
    return {"units_96369": first, "units_96370": further, "units_96372": 1 - first}
