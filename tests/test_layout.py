"""The house: which module may import which, and what importing it may cost."""

import ast
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

import subq_toolkit as sq

PACKAGE = Path(sq.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")

#: From what everything rests on to the panels on top; nothing imports what stands below it here.
ORDER = [
    "errors",
    "plain_text",
    "written_files",
    "effective",
    "catalog",
    "cited_tables",
    "formulas",
    "product_tables",
    "products",
    "dosing",
    "conversion",
    "absorption",
    "facility_time",
    "intake",
    "administrations",
    "deidentification",
    "time_formats",
    "charted_times",
    "event_log",
    "readers",
    "infusion_time",
    "limit_use",
    "pump_setups",
    "policy",
    "encounter_facts",
    "conditions",
    "findings",
    "units",
    "lines",
    "coding",
    "coded_files",
    "spark",
    "documentation",
    "explain",
    "charted_run",
    "encounter",
    "planning",
    "fees",
    "published_files",
    "charges",
    "x12",
    "audit",
    "scenarios",
    "durations",
    "utilization",
    "numbers_in_use",
    "synthetic",
    "small_cells",
    "charts",
    "publish",
    "panels",
]
WIDGETS = {"ipywidgets", "anywidget", "traitlets"}


def module_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def names_imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    froms = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    plain = chain.from_iterable(node.names for node in nodes if isinstance(node, ast.Import))
    return {*froms, *(name.name for name in plain)}


def own_modules(path: Path) -> set[str]:
    own = {name.split(".")[1] for name in names_imported(path) if name.startswith("subq_toolkit.")}
    return own - {module_of(path)}


def test_every_module_has_its_place() -> None:
    assert {module_of(path) for path in FILES} == set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    assert own_modules(path) <= set(ORDER[: ORDER.index(module_of(path))])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_panels_import_widgets_and_only_charts_altair(path: Path) -> None:
    roots = {name.split(".")[0] for name in names_imported(path)}
    assert not roots & WIDGETS or module_of(path) == "panels"
    assert "altair" not in roots or module_of(path) in ("charts", "panels")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_outgrows_its_subject(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 280


def test_importing_the_package_needs_no_notebook() -> None:
    code = (
        "import sys, subq_toolkit; "
        "print([name for name in ('altair', 'ipywidgets', 'anywidget') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_front_door_is_documented() -> None:
    for name in sq.__all__:
        assert (getattr(sq, name).__doc__ or "").strip(), name
