"""Data that comes along: found by name in a clone and in an installed package, nowhere else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

from subq_toolkit import catalog
from subq_toolkit.catalog import dataset, datasets, sample_administrations
from subq_toolkit.errors import InputError

CLONE = Path(__file__).resolve().parents[1]


def folder(path: Path, *names: str) -> Path:
    """``path/datasets`` with one dataset for each name."""
    for name in names:
        (path / "datasets" / name).mkdir(parents=True)
        (path / "datasets" / name / "README.md").write_text(f"# {name}\n\nInvented\n{name}.\n")
    return path / "datasets"


def test_a_dataset_is_found_by_its_name():
    assert (dataset("administrations") / "README.md").is_file()


def test_the_folder_one_works_in_is_not_searched(tmp_path, monkeypatch):
    folder(tmp_path, "administrations", "stray")
    monkeypatch.chdir(tmp_path)
    assert dataset("administrations") == CLONE / "datasets" / "administrations"
    with pytest.raises(InputError):
        dataset("stray")


def test_an_unknown_name_gets_the_nearest_ones():
    with pytest.raises(
        InputError, match=r"no dataset 'administration'\. Did you mean 'administrations'\?"
    ):
        dataset("administration")


@pytest.mark.parametrize("name", ["", "..", "../datasets/administrations", "administrations/"])
def test_a_path_is_not_a_name(name):
    with pytest.raises(InputError, match="There is no dataset"):
        dataset(name)


def test_the_packages_own_folder_comes_first(tmp_path):
    package = tmp_path / "subq_toolkit"
    folder(tmp_path, "beside")
    (tmp_path / "pyproject.toml").touch()
    assert catalog._home(package) == tmp_path / "datasets"
    assert catalog._home(package.parent / "subq_toolkit") != folder(package, "own")
    assert catalog._home(package) == package / "datasets"


def test_another_projects_datasets_beside_an_installed_package_are_left_alone(tmp_path):
    folder(tmp_path, "administrations")
    with pytest.raises(InputError, match="missing from this installation"):
        catalog._home(tmp_path / "subq_toolkit")


def test_the_list_names_files_and_says_what_they_are(tmp_path, monkeypatch):
    home = folder(tmp_path / "subq_toolkit", "b", "a")
    (home / "a" / "rows.csv").touch()
    (home / "a" / ".hidden").touch()
    (home / "loose").mkdir()
    monkeypatch.setattr(catalog, "_PACKAGE", tmp_path / "subq_toolkit")
    assert datasets().rows() == [("a", ["rows.csv"], "Invented a."), ("b", [], "Invented b.")]


def test_the_bundled_datasets_are_listed_and_indexed():
    listed = datasets()
    index = (CLONE / "datasets" / "README.md").read_text("utf-8")
    assert all(f"[`{name}`]({name}/README.md)" in index for name in listed["name"])
    files = listed.filter(name="administrations")["files"].item().to_list()
    assert files == ["administrations.parquet", "dirty_export.csv", "shapes.toml"]
    assert "invented" in listed.filter(name="administrations")["about"].item()


def test_the_sample_is_scanned_not_read():
    assert isinstance(sample_administrations(), pl.LazyFrame)
    assert sample_administrations().select(pl.len()).collect().item() > 5_000


def test_every_user_can_read_the_files():
    for path in (CLONE / "datasets").rglob("*"):
        assert path.stat().st_mode & 0o004, path.name


def test_an_installed_package_brings_its_data(tmp_path):
    """A wheel, unpacked somewhere else and used from there."""
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path, CLONE],
        capture_output=True,
        text=True,
    )
    if any(lack in built.stderr for lack in ("No module named pip", "No matching distribution")):
        pytest.skip("nothing here to build a wheel with")
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    ask = (
        "from subq_toolkit.catalog import *; from subq_toolkit.synthetic import administrations;"
        "print(dataset('administrations'));"
        "print(sample_administrations().collect().equals(administrations()))"
    )
    said = subprocess.run(
        [sys.executable, "-P", "-c", ask],
        env=os.environ | {"PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert said == [str(site / "subq_toolkit" / "datasets" / "administrations"), "True"]
