"""Measure the comparison, keep its figures, and write them into the README.

``python tests/benchmarks/make_table.py`` runs ``bench_comparison.py``, writes what the table
needs into ``results.json`` beside this file, and the table into the README between its two
marks; ``--from-json`` only writes the table. The curve of sizes comes from ``scale.json``, which
``bench_scale.py --json tests/benchmarks/scale.json`` writes, if it is there.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import textwrap
from importlib.metadata import version
from itertools import chain
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parent.parent / "README.md"
RESULTS, SCALE = HERE / "results.json", HERE / "scale.json"
BEGIN, END = "<!-- benchmark table -->", "<!-- end of benchmark table -->"
LIBRARIES = ("polars", "duckdb", "pandas", "numpy")
TOOLKIT, ALONE = "subq_toolkit", "rules alone"

#: What is measured, in words.
WORK = {
    "coding": "coding: Parquet to minutes, units and outcome of every encounter",
    "audit": "audit: charges from Parquet against charted encounters in memory",
    "summary": "minute summary: Parquet to counts by minute, month and payer",
    "scenario": "scenario: units and dollars under two sets of steps (toolkit and floor: from the "
    "summary, the others from Parquet)",
    "limits": "limit use: Parquet to each encounter's largest share of a flow limit",
    "draws": "simulation: 2,000 totals from encounters drawn anew (toolkit and floor: as counts)",
}
#: The rules without the judging; held against the same ways as coding is.
ALONE_WORDS = "coding, the toolkit's union and units alone: nothing judged"
#: Columns after the toolkit's, in order, each with the ways that stand in it.
COLUMNS = {
    "floor": ("floor",),
    "Polars windows; simulation: numpy loop": ("Polars windows", "numpy loop"),
    "DuckDB": ("DuckDB",),
    "pandas": ("pandas",),
    "plain Python": ("plain Python",),
}
#: How many times the toolkit's seconds a way must take at least.
GOALS = {"DuckDB": 2.0, "pandas": 10.0, "plain Python": 200.0, "floor": 1 / 2}
#: A work's own goal in place of the general one.
OWN_GOALS = {("audit", "floor"): 1 / 1.5}
#: Why a goal is missed, told where one is.
REASONS = {
    "coding": "beside the union, the toolkit types and checks every column of every row, follows "
    "pumps and sites for set-ups, looks for a patient's second encounter and for rows that "
    "conflict, carries payer and place, and gives every encounter its outcome. The others read "
    "five columns and leave out what they cannot use without a word.",
    ALONE: "the union needs six aggregates of each encounter and a second pass over the rows of "
    "those with four or more runs; the floor needs one aggregate and is no union.",
    "audit": "the others add up units and join. The toolkit first settles replaced, credited and "
    "denied claims, spellings, payers and dates, then gives every code a class, dollars on both "
    "sides, a reason, what to do and a deadline.",
    "summary": "the counts come from encounters that were judged first, as under coding; they also "
    "keep apart set-up, place, outcome and period of prices.",
    "scenario": "the toolkit prices by the rules of claims and rounds to the cent; the floor "
    "multiplies by amounts that are written into it.",
    "limits": "drugs are matched to products by name, and of the published limits the strictest in "
    "effect on the day is looked up for each run. The others are given a finished table of four "
    "drugs.",
    "draws": "beside the random numbers, which the floor needs as well, the toolkit works out what "
    "each encounter earns under the scenario.",
}


def measure(rows: float, rounds: int) -> dict:
    """Run the benchmark in a process of its own and keep what the table needs."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *(str(HERE / "bench_comparison.py"), f"--benchmark-json={report}"),
            ],
            check=True,
            cwd=HERE.parent.parent,
            env=os.environ
            | {"SUBQ_BENCHMARK_ROWS": f"{rows:.0f}", "SUBQ_BENCHMARK_ROUNDS": str(rounds)},
        )
        told = json.loads(report.read_text("utf-8"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = os.cpu_count() or 1
    versions = {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    return trimmed(told, cores=cores, memory_gb=memory, busy=load > cores / 2, versions=versions)


def trimmed(
    report: dict, *, cores: int, memory_gb: float, busy: bool, versions: dict[str, str]
) -> dict:
    """What a report of pytest-benchmark says, without what would name the machine.

    Seconds on a part of the work are counted up to all of it; ``part`` says what share was done.
    """
    entries = report["benchmarks"]
    sizes = ("rows", "encounters", "charges", "sample")
    ways: dict[str, dict] = {}
    for entry in entries:
        told = entry["extra_info"]
        ways.setdefault(told["work"], {})[told["way"]] = {
            "median_s": float(f"{entry['stats']['median'] * told['times']:.4g}"),
            "rounds": entry["stats"]["rounds"],
            "part": float(f"{1 / told['times']:.4g}"),
        }
    return {
        "date": report["datetime"][:10],
        "machine": {
            "cores": cores,
            "memory_gb": 2 ** math.ceil(math.log2(memory_gb)),
            "busy": busy,
        },
        "versions": versions,
        **{name: entries[0]["extra_info"][name] for name in sizes},
        "work": ways,
    }


def verdict(work: str, way: str, ratio: float) -> str:
    """``met`` or ``missed``; nothing where no goal is set."""
    goal = OWN_GOALS.get((work, way), GOALS.get(way))
    return "" if goal is None else "met" if ratio >= goal else "missed"


def table(results: dict, scale: list[dict] | None) -> str:
    """The part of the README between its marks."""
    measured = [(work, words, results["work"][work], TOOLKIT) for work, words in WORK.items()]
    measured.insert(1, (ALONE, ALONE_WORDS, results["work"]["coding"], ALONE))
    missed = [
        _wrapped(f"- {words.split(':')[0]}: {REASONS[work]}")
        for work, words, ways, own in measured
        if "missed" in (verdict(work, way, ratio) for way, ratio in _ratios(ways, own).items())
    ]
    lines = [_head(results), "", *_grid(measured), ""]
    if missed:
        lines += ["Why goals are missed:", "", *missed, ""]
    if scale:
        lines += _curve(scale)
    return "\n".join(lines).rstrip()


def rewritten(readme: str, block: str) -> str:
    """The README with another block between its marks."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def block_of(readme: str) -> str:
    """What stands between the marks of the README."""
    return readme.split(BEGIN)[1].split(END)[0].strip()


def _head(results: dict) -> str:
    machine, versions = results["machine"], results["versions"]
    every = [way for ways in results["work"].values() for way in ways.values()]
    told = ", ".join(f"{name.replace('python', 'Python')} {one}" for name, one in versions.items())
    busy = " **The machine was busy with other work: preliminary figures.**" * machine["busy"]
    return _wrapped(
        f"{results['date']}, {machine['cores']} cores, {machine['memory_gb'] // 2} to "
        f"{machine['memory_gb']} GB; {told}. {results['rows']:,} rows of "
        f"{results['encounters']:,} invented encounters, {results['charges']:,} charges. Medians "
        f"of {min(way['rounds'] for way in every)} rounds in one process; in brackets how many "
        f"times the seconds of subq_toolkit, which is what the goals are about. Plain Python "
        f"worked on {results['sample']:,} encounters, plain Python and the numpy loop drew a few "
        f"of the totals; their seconds are counted up in proportion.{busy}"
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(
        text, 116, subsequent_indent="  " * text.startswith("- "), break_on_hyphens=False
    )


def _grid(measured: list[tuple]) -> list[str]:
    heads = [f"{name}, goal {GOALS[name]:g}×" if name in GOALS else name for name in COLUMNS]
    heads[0] += f" (audit {OWN_GOALS['audit', 'floor']:.2g}×)"
    lines = [
        f"| work | {TOOLKIT} | {' | '.join(heads)} |",
        f"| --- | {' | '.join(['---:'] * (len(heads) + 1))} |",
    ]
    for work, words, ways, own in measured:
        ratios = _ratios(ways, own)
        told = {
            way: f"{_lasting(ways[way]['median_s'])} ({_times(ratio)}) {verdict(work, way, ratio)}"
            for way, ratio in ratios.items()
        }
        cells = ["".join(told.get(way, "") for way in column) for column in COLUMNS.values()]
        lines.append(
            f"| {words} | {_lasting(ways[own]['median_s'])} | {' | '.join(map(str.strip, cells))} |"
        )
    return lines


def _ratios(ways: dict, own: str) -> dict[str, float]:
    """How many times the seconds of the toolkit's own way each other takes."""
    base, others = ways[own]["median_s"], chain.from_iterable(COLUMNS.values())
    return {way: ways[way]["median_s"] / base for way in others if way in ways}


def _curve(scale: list[dict]) -> list[str]:
    lines = [
        f"Coding whole folders with `code_files`, on {scale[0]['cores']} cores:",
        "",
        "| rows | time | seconds a million rows | peak memory |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for size in sorted(scale, key=lambda one: one["rows"]):
        million = size["seconds"] / size["rows"] * 1e6
        lines.append(
            f"| {size['rows']:,} | {size['seconds']:,.0f} s | {million:.2f} | "
            f"{size['peak_mb'] / 1000:.1f} GB |"
        )
    return lines


def _lasting(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 1 else f"{float(f'{seconds * 1000:.2g}'):g} ms"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}×" if ratio >= 100 else f"{ratio:.2g}×"


def main() -> None:
    """Measure, or take the figures that are kept, and write the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--from-json", action="store_true", help="only write the table")
    asked.add_argument("--rows", type=float, default=1e6)
    asked.add_argument("--rounds", type=int, default=5)
    options = asked.parse_args()
    if not options.from_json:
        results = measure(options.rows, options.rounds)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    README.write_text(rewritten(README.read_text("utf-8"), table(*kept())), "utf-8")


def kept() -> tuple[dict, list[dict] | None]:
    """The figures that are kept: of the comparison, and of the sizes if there are any."""
    scale = json.loads(SCALE.read_text("utf-8")) if SCALE.is_file() else None
    return json.loads(RESULTS.read_text("utf-8")), scale


if __name__ == "__main__":
    main()
