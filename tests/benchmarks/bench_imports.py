"""What importing the package costs over Polars, which it cannot do without.

Run ``python tests/benchmarks/bench_imports.py --rounds 25``; it is not part of the test suite.
Both imports are timed in fresh processes, in turn, with compiled modules, as the processor time
that the system counts. Compare the rows of one run: the difference is to stay below 100 ms.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile

IMPORTS = {"polars": "import polars", "subq_toolkit": "import polars, subq_toolkit"}


def measured(code: str, env: dict[str, str]) -> float:
    """Processor time of a fresh process that runs ``code``. [ms]"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1_000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Time both in turn."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rounds", type=int, default=25)
    rounds = asked.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    with tempfile.TemporaryDirectory() as compiled:
        env = dict(os.environ, PYTHONPYCACHEPREFIX=compiled)
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        for code in IMPORTS.values():
            measured(code, env)
        for _ in range(rounds):
            for name, code in IMPORTS.items():
                times[name].append(measured(code, env))
    for what, of in {"median": statistics.median, "least": min}.items():
        floor, ours = (of(times[name]) for name in IMPORTS)
        print(
            f"{what:>7}: polars {floor:6.0f} ms, with subq_toolkit {ours:6.0f} ms, "
            f"difference {ours - floor:5.0f} ms, ratio {ours / floor:.2f}"
        )


if __name__ == "__main__":
    main()
