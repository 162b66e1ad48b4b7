"""The rules against two other ways of counting: ``python tests/differential.py``.

Random encounters under every combination of policies against the slow count by hand
(``oracle.py``, plain Python, a second a cell), and the bundled export against SQL in DuckDB.
``--encounters 1e6`` takes a good quarter of an hour on one core; the last result stands in
``tests/differential.json`` and in ``tests/README.md``.
"""

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
from oracle import DEFAULT_POLICY, Run, count
from test_cases import CODES, frame
from test_properties import MONDAY, SITES, agree, as_batch, lines_agree

import subq_toolkit as sq

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "benchmarks"))
#: Every answer that both ways know.
ANSWERS = {
    "missing_stop": ["query", "short", "computed"],
    "midnight": ["start_date", "split"],
    "bridge_pauses_min": [0, 1, 5, 30],
    "seconds": ["drop", "count"],
    "unit_cap": ["none", "unlikely_edit"],
    "intravenous": ["report", "refer"],
    "home": ["report", "refer"],
}
STEPS = [0, 1, 14, 15, 16, 60, 89, 90, 91, 150, 151, 211, 270, 271]


def every_policy() -> list[dict]:
    """All combinations of answers."""
    return [
        dict(zip(ANSWERS, chosen, strict=True)) for chosen in itertools.product(*ANSWERS.values())
    ]


def a_run(draw: random.Random, pumps: tuple, *, plain: bool) -> Run:
    """A run on Monday or Tuesday; unless plain of any kind, now and then with a gap."""
    seconds = draw.choice([0, 0, 0, 1, 20, 40])
    start = MONDAY + timedelta(minutes=draw.randrange(1501), seconds=seconds)
    minutes = draw.choice(STEPS) if draw.random() < 0.5 else draw.randrange(401)
    run = {
        "start_at": start,
        "stop_at": start + timedelta(minutes=minutes, seconds=draw.choice([0, 0, 0, 1, 20, 40])),
        "route": "subcutaneous",
        "pump_id": draw.choice(pumps),
        "site": draw.choice(SITES),
    }
    if plain:
        return run
    run |= {
        "route": draw.choice(["subcutaneous"] * 8 + ["intravenous", "injection"]),
        "mode": draw.choice([None, None, "continuous", "patient_controlled", "bolus"]),
        "setup_charted": draw.choice([None, None, True, False]),
        "delivery": draw.choice([None] * 12 + ["pump", "gravity"]),
        "volume_ml": draw.choice([None, 5.0, 20.0, 45.5]),
        "rate_ml_per_h": draw.choice([None, 20.0, 30.0, 40.0]),
    }
    lost = {0: "start_at", 1: "stop_at", 2: "stop_at", 3: "route"}.get(draw.randrange(25))
    return run | {lost: None} if lost else run


def an_encounter(draw: random.Random) -> list[Run]:
    """One to six runs on up to three pumps."""
    pumps = draw.choice([(None,), ("A",), ("A", "B"), ("A", "B", "C")])
    setting = draw.choice([None, None, "clinic", "home"])
    runs = [a_run(draw, pumps, plain=place == 0) for place in range(1 + draw.randrange(6))]
    return [run | {"setting": setting} for run in runs]


def differences(encounters: list[list[Run]], policy: dict) -> list[int]:
    """Places of the encounters on which the two ways differ."""
    coded = sq.code_administrations(frame(as_batch(encounters)), policy=sq.Policy(**policy))
    rows = coded.encounters.collect()
    if rows["encounter_id"].to_list() != sorted(f"E{n:03}" for n in range(len(encounters))):
        return list(range(len(encounters)))
    by_name = {row["encounter_id"]: row for row in rows.rows(named=True)}
    lines = coded.lines.collect().partition_by("encounter_id", as_dict=True)
    policy, found = DEFAULT_POLICY | policy, []
    for place, runs in enumerate(encounters):
        name = f"E{place:03}"
        expected = count(runs, policy)
        try:
            agree(by_name[name], expected, policy)
            if expected.outcome == "coded":
                lines_agree(lines[(name,)], by_name[name], expected, policy)
        except AssertionError:
            found.append(place)
    return found


def against_hand(encounters: int, seed: int) -> dict:
    """Random encounters, shared out among all policies."""
    draw, policies, began = random.Random(seed), every_policy(), time.monotonic()
    each, done, wrong = -(-encounters // len(policies)), 0, []
    tell = sys.stderr.isatty()
    for policy in policies:
        drawn = [an_encounter(draw) for _ in range(each)]
        wrong += [{"policy": policy, "runs": str(drawn[at])} for at in differences(drawn, policy)]
        done += each
        if tell:
            print(f"\r{done:,} encounters, {len(wrong)} differ", end="", file=sys.stderr)
    if tell:
        print(file=sys.stderr)
    return {
        "encounters": done,
        "policies": len(policies),
        "seed": seed,
        "differ": len(wrong),
        "first": wrong[:3],
        "seconds": round(time.monotonic() - began),
    }


def against_sql(rows: pl.LazyFrame) -> dict:
    """Minutes and units of the coded encounters of an export against DuckDB."""
    from rivals import duckdb_by_hand
    from rivals.given import write_given

    coded = sq.code_administrations(rows)
    sure = coded.encounters.filter((pl.col("outcome") == "coded") & (pl.col("infusion_min") > 0))
    export = rows.collect()
    export = export.join(sure.select("encounter_id").collect(), on="encounter_id", how="semi")
    lost = coded.refused.select("encounter_id").collect()
    export = export.join(lost, on="encounter_id", how="anti")
    with tempfile.TemporaryDirectory() as folder:
        given = write_given(Path(folder), export, 7)
        told = pl.from_arrow(duckdb_by_hand.coding(given))
    ours = coded.encounters.collect().join(told, on="encounter_id", suffix="_sql")
    codes = [f"units_{code}" for code in CODES if f"units_{code}_sql" in ours.columns]
    same = (pl.col("infusion_min") == pl.col("minutes")) & pl.all_horizontal(
        pl.col(name) == pl.col(f"{name}_sql") for name in codes
    )
    return {"encounters": ours.height, "codes": codes, "differ": ours.filter(~same).height}


def main() -> int:
    """Compare, say what was found, and keep it."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--encounters", type=float, default=1e6)
    asked.add_argument("--seed", type=int, default=20_261_125)
    options = asked.parse_args()
    told = {
        "date": str(date.today()),
        "polars": pl.__version__,
        "duckdb": duckdb.__version__,
        "by hand": against_hand(int(options.encounters), options.seed),
        "sql": against_sql(sq.sample_administrations()),
    }
    (HERE / "differential.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    print(json.dumps(told, indent=1))
    return 1 if told["by hand"]["differ"] or told["sql"]["differ"] else 0


if __name__ == "__main__":
    sys.exit(main())
