"""What an import of the package must not load: everything that only some users have or need."""

import json
import subprocess
import sys

import pytest

#: Modules of the extras, and others that take longer to import than the package.
HEAVY = {
    "adbc_driver_manager", "altair", "anywidget", "duckdb", "fastexcel", "great_tables", "ijson",
    "ipywidgets", "narwhals", "numpy", "pandas", "pptx", "pyarrow", "pypdf", "pyspark", "pyx12",
    "scipy", "traitlets", "vl_convert", "xlsxwriter",
}  # fmt: skip
#: Own parts that are imported by name where they are wanted.
APART = {"absorption", "charts", "durations", "numbers_in_use", "panels", "publish", "scenarios",
         "small_cells", "spark", "synthetic", "utilization", "x12"}  # fmt: skip
_LOADED = """
import json, sys
import {module}
own = [one.split(".")[1] for one in sys.modules if one.startswith("subq_toolkit.")]
print(json.dumps([sorted({{one.split(".")[0] for one in sys.modules}}), sorted(set(own))]))
"""


def loaded(module: str) -> tuple[set[str], set[str]]:
    """Names of the packages, and of the parts of ours, that an import of ``module`` loads."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    packages, own = json.loads(done.stdout)
    return set(packages), set(own)


def test_importing_the_package_loads_nothing_heavy() -> None:
    packages, own = loaded("subq_toolkit")
    assert {"subq_toolkit", "polars"} <= packages
    assert not packages & HEAVY
    assert "coding" in own
    assert not own & APART


@pytest.mark.parametrize(
    ("module", "may"),
    [
        ("scenarios", {"numpy"}),
        ("durations", {"numpy"}),
        ("utilization", {"numpy"}),
        ("x12", set()),
    ],
)
def test_parts_without_charts_load_no_notebook(module: str, may: set[str]) -> None:
    packages, own = loaded(f"subq_toolkit.{module}")
    assert packages & HEAVY <= may
    assert not own & {"charts", "panels", "publish"}
