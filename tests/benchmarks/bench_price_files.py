"""What reading a hospital's price file costs: time, and memory beside the size of the file.

Run with ``pytest tests/benchmarks/bench_price_files.py``; it is not part of the test suite.
Memory is measured in a process of its own, as the system counts it.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from subq_toolkit.published_files import read_price_file

SMALL, LARGE = 20_000, 2_000_000
HEADER = (
    "hospital_name,last_updated_on,version\nInvented,2026-01-01,3.0.0\n"
    "description,code|1,code|1|type,setting,standard_charge|gross,payer_name,plan_name,"
    "standard_charge|negotiated_dollar,standard_charge|methodology,additional_generic_notes\n"
)
MEASURE = """
import resource, sys
from subq_toolkit.published_files import read_price_file
found = read_price_file(sys.argv[1], codes=["96369"])
print(found.prices.height, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def write_csv(path: Path, rows: int) -> Path:
    with path.open("w") as file:
        file.write(HEADER)
        for i in range(rows):
            code = "96369" if i % 10_000 == 0 else f"{10_000 + i % 80_000}"
            file.write(
                f'"x, {i}",{code},CPT,outpatient,{100 + i % 900},Payer {i % 50},PPO,'
                f"{50 + i % 90}.25,fee schedule,a note of some length about row {i}\n"
            )
    return path


def write_json(path: Path, rows: int) -> Path:
    with path.open("w") as file:
        file.write('{"hospital_name": "Invented", "standard_charge_information": [')
        for i in range(rows):
            code = "96369" if i % 10_000 == 0 else f"{10_000 + i % 80_000}"
            payer = {"payer_name": f"Payer {i % 50}", "plan_name": "PPO"}
            rate = {"standard_charge_dollar": 50 + i % 90, "methodology": "fee schedule"}
            charge = {"setting": "outpatient", "gross_charge": 100 + i % 900}
            item = {
                "description": "x",
                "code_information": [{"code": code, "type": "CPT"}],
                "standard_charges": [charge | {"payers_information": [payer | rate]}],
            }
            file.write(("," if i else "") + json.dumps(item))
        file.write("]}")
    return path


WRITERS = {"csv": write_csv, "json": write_json}


@pytest.fixture(scope="module", params=WRITERS)
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    if request.param == "json":
        pytest.importorskip("ijson")
    folder = tmp_path_factory.mktemp("bench")
    write = WRITERS[request.param]
    return [write(folder / f"{rows}.{request.param}", rows) for rows in (SMALL, LARGE)]


def test_two_million_rows(benchmark: Callable, files: list[Path]) -> None:
    found = benchmark.pedantic(
        lambda: read_price_file(files[1], codes=["96369"]), rounds=2, warmup_rounds=0
    )
    assert found.prices.height > 0


def test_memory_beside_the_file(files: list[Path]) -> None:
    peaks = []
    for path in files:
        run = [sys.executable, "-c", MEASURE, str(path)]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout.split()[1]))
    size = files[1].stat().st_size // 1024**2
    print(f"\n{files[1].suffix}: {size} MB on disk, {peaks[0]} then {peaks[1]} MB in memory")
    assert peaks[1] < peaks[0] + 20
