"""What coding years of charted runs from files costs: seconds and memory at each size.

Run ``python tests/benchmarks/bench_scale.py --rows 1e6 3e6 1e7 --json sizes.json``; it is not
part of the test suite. 100 million rows need about 20 GB of disk and half an hour on two
cores, half of it to invent them (``--years`` keeps them for another run). Each size is coded in a
process of its own, whose memory is counted by the system. Compare the rows of one run with each
other, not with those of another machine.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import polars as pl

from subq_toolkit.synthetic import administrations

#: Encounters of one file; a file is about 900,000 rows.
AT_ONCE, YEARS = 500_000, 10
CODE = """
import json, resource, sys, time
from subq_toolkit.coded_files import code_files
seconds, last = {}, time.monotonic()
def tell(told):
    global last
    now = time.monotonic()
    seconds[told.stage] = round(seconds.get(told.stage, 0.0) + now - last, 1)
    last = now
    print(" ", told, file=sys.stderr)
target, parts, *files = sys.argv[1:]
coded = code_files(files, target, parts=int(parts) or None, progress=tell)
used = resource.getrusage(resource.RUSAGE_SELF)
told = {"parts": coded.parts, **coded.reconcile(), "seconds_of_stage": seconds}
told |= {"cpu_s": round(used.ru_utime + used.ru_stime, 1), "peak_mb": used.ru_maxrss // 1024}
print(json.dumps(told))
"""


def write_years(folder: Path, rows: int) -> list[Path]:
    """Ten years of invented files, another hospital's after them; no encounter twice.

    A file that is there already is kept.
    """
    folder.mkdir(exist_ok=True)
    held, number, years = 0, 0, []
    while held < rows:
        file = folder / f"administrations-{number:05}.parquet"
        if not file.exists():
            year = date(2016 + number % YEARS, 1, 1)
            runs = administrations(AT_ONCE, seed=1_000 + number, start=year, days=365)
            named = {
                "encounter_id": pl.format("{}-{}", "encounter_id", pl.lit(number)),
                "patient_id": pl.format("{}-{}", "patient_id", pl.lit(number // YEARS)),
            }
            runs.with_columns(**named).write_parquet(file.with_suffix(".new"))
            file.with_suffix(".new").rename(file)
        years.append(file)
        held, number = held + _rows_of(file), number + 1
    return years


def _rows_of(file: Path) -> int:
    return pl.scan_parquet(file).select(pl.len()).collect().item()


def size_of(files: list[Path]) -> int:
    """Megabytes of files."""
    return sum(file.stat().st_size for file in files) // 10**6


def measure(source: list[Path], folder: Path, parts: int) -> dict:
    """Code and remove one size."""
    target = folder / "coded"
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(target), str(parts), *map(str, source)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = {"rows": 0, "seconds": round(time.monotonic() - began, 1), **json.loads(done.stdout)}
    told |= {"rows": told["rows_in"], "source_mb": size_of(source), "cores": os.cpu_count()}
    told["coded_mb"] = size_of([file for file in target.rglob("*") if file.is_file()])
    shutil.rmtree(target)
    return told


def main() -> None:
    """Measure every size asked for, the smallest first."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rows", nargs="+", type=float, default=[1e6, 3e6, 1e7, 3e7, 1e8])
    asked.add_argument("--parts", type=int, default=0, help="0: as many as are chosen")
    asked.add_argument("--folder", type=Path, help="where there is room; a temporary folder if not")
    asked.add_argument("--years", type=Path, help="folder of the invented files, kept")
    asked.add_argument("--json", type=Path, help="file for the results")
    options = asked.parse_args()
    results = []
    for rows in sorted(map(int, options.rows)):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            source = write_years(options.years or Path(folder) / "years", rows)
            results.append(measure(source, Path(folder), options.parts))
        told = results[-1]
        print(
            f"{told['rows']:>12,} rows  {told['seconds']:>8,.1f} s  {told['cpu_s']:>8,.1f} s CPU  "
            f"{told['peak_mb']:>6,} MB  {told['parts']:>4} parts",
            flush=True,
        )
        if options.json:
            options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
