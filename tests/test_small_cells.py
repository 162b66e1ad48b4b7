"""No count of 1 to 10 can be told from what is shown; every reader here is a linear programme."""

import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit.effective import read_parameters
from subq_toolkit.small_cells import LEAST, CountedCells, withheld_counts, withhold_small_cells

linprog = pytest.importorskip("scipy.optimize").linprog


def shown(counts, *, places=None, within=(), least=None):
    """The counts that are left of these; ``places`` are their rows and columns."""
    frame = pl.DataFrame({"n": counts}, schema={"n": pl.Int64})
    for at, name in enumerate(within):
        frame = frame.with_columns(pl.Series(name, [place[at] for place in places]))
    return withhold_small_cells(frame, CountedCells("n", within), least=least)["n"].to_list()


def grid(rows):
    """A table of rows as counts and their places."""
    cells = [(r, c) for r, row in enumerate(rows) for c in range(len(row))]
    return [rows[r][c] for r, c in cells], cells


def two_way(rows):
    counts, places = grid(rows)
    left = shown(counts, places=places, within=("r", "c"))
    wide = len(rows[0])
    return [left[at : at + wide] for at in range(0, len(left), wide)]


# ---- the rule, by hand -------------------------------------------------------------------


def test_the_threshold_is_the_published_one():
    assert LEAST == 11
    value = read_parameters("publication")["smallest_count"].values[-1]
    assert value.standing == "sourced"
    assert "resdac.org" in value.cite


@pytest.mark.parametrize(
    ("counts", "left"),
    [
        ([50, 40, 11], [50, 40, 11]),  # nothing small
        ([50, 40, 10], [50, None, None]),  # 10 alone is n less the others
        ([50, 40, 1], [50, None, None]),
        ([50, 6, 5], [50, None, None]),  # two, together 11
        ([50, 40, 5, 5], [50, None, None, None]),  # two, but together 10
        ([50, 0, 12], [50, 0, 12]),  # zero is shown
        ([50, 0, 5], [None, 0, None]),  # the smallest above zero goes, not the zero
        ([50, 11, 11, 10], [50, None, None, None]),  # a shown 11 says the hidden one is 11 too
        ([50, 12, 11, 10], [50, 12, None, None]),
        ([50, 5], [None, None]),
        ([0, 5], [None, None]),  # nothing left above zero: all of it
        ([5], [None]),
        ([11], [11]),
        ([], []),
        ([0, 0], [0, 0]),
        ([None, 30, 40], [None, 30, 40]),  # no count is no small count
    ],
)
def test_counts_of_one_total(counts, left):
    assert shown(counts) == left


def test_equal_counts_go_from_the_top():
    assert shown([20, 20, 3, 20]) == [None, 20, None, 20]


def test_each_group_is_protected_within_its_own_total():
    left = shown([5, 20, 30, 40, 12, 60], places=[(g,) for g in "aaabbb"], within=("g",))
    assert left == [None, None, 30, 40, 12, 60]


def test_a_group_that_is_small_itself_takes_the_next_smallest_with_it():
    # totals 7, 50, 100, n 157: with b shown whole, a would be 157 − 50 − 100
    left = shown([3, 4, 20, 30, 60, 40], places=[(g,) for g in "aabbcc"], within=("g",))
    assert left == [None, None, None, None, 60, 40]


def test_rows_and_columns():
    assert two_way([[5, 20, 30], [40, 50, 60], [70, 80, 90]]) == [
        [None, None, 30],
        [None, None, 60],
        [70, 80, 90],
    ]


def test_a_cell_alone_in_its_row_protects_nothing():
    """The 20 is the whole of its row: the zeros beside it are hidden with it."""
    left = two_way([[5, 60, 70], [20, 0, 0], [90, 80, 100]])
    assert left[0][0] is None
    assert not (left[1][0] is None and left[1][1:] == [0, 0])


def test_what_goes_with_a_count_goes():
    table = pl.DataFrame(
        {"kind": ["bin", "bin", "bin", "axis"], "n": [4, 30, 60, 3], "share": [0.1, 0.2, 0.3, 0.4],
         "units": [9, 50, 99, 3], "name": list("abcd")}
    )  # fmt: skip
    cells = CountedCells("n", also=("share", "units"), kinds=("bin",))
    left = withhold_small_cells(table, cells)
    assert left["n"].to_list() == [None, None, 60, 3]
    assert left["share"].to_list() == [None, None, 0.3, 0.4]
    assert left["units"].to_list() == [None, None, 99, 3]
    assert left["name"].to_list() == list("abcd")
    assert left.schema == table.schema
    assert withheld_counts(table, left, cells).to_list() == [True, True, False, False]


def test_several_columns_of_counts():
    table = pl.DataFrame({"below": [3, 20, 30], "above": [40, 50, 60]})
    cells = (CountedCells("below"), CountedCells("above"))
    left = withhold_small_cells(table, cells)
    assert left["below"].to_list() == [None, None, 30]
    assert left["above"].to_list() == [40, 50, 60]
    assert withheld_counts(table, left, cells).to_list() == [True, True, False]
    assert withhold_small_cells(table, None).equals(table)
    assert not withheld_counts(table, table, None).any()


def test_another_threshold():
    assert shown([50, 40, 4], least=5) == [50, None, None]
    assert shown([50, 40, 5], least=5) == [50, 40, 5]


def test_names_that_are_missing_are_a_group_of_their_own():
    left = shown([5, 20, 30, 40], places=[(None,), (None,), ("a",), ("a",)], within=("g",))
    assert left == [None, None, 30, 40]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (CountedCells("m"), "has no column 'm'"),
        (CountedCells("n", also=("share",)), "has no column 'share'"),
        (CountedCells("n", kinds=("bin",)), "has no column 'kind'"),
        (CountedCells("name"), "is no number"),
        (CountedCells("low"), "a number below zero"),
        (CountedCells("n", within=("a", "b", "c")), "at most 2 columns"),
    ],
)
def test_tables_that_cannot_be_protected_are_refused(cells, message):
    table = pl.DataFrame({"n": [1], "name": ["x"], "low": [-1], "a": [1], "b": [1], "c": [1]})
    with pytest.raises(sq.InputError, match=message):
        withhold_small_cells(table, cells)


def test_the_same_table_withholds_the_same_whatever_else_is_in_it():
    table = pl.DataFrame({"n": [5, 20, 20, 30], "g": list("abcd")})
    again = table.with_columns(more=pl.lit("x")).select("more", "g", "n")
    one, other = (withhold_small_cells(t, CountedCells("n")) for t in (table, again))
    assert one["n"].to_list() == other["n"].to_list()
    assert withhold_small_cells(one, CountedCells("n")).equals(one)


def test_every_run_withholds_the_same():
    code = (
        "import polars as pl; from subq_toolkit.small_cells import *\n"
        "t = pl.DataFrame({'n': [3, 4, 5, 6, 20, 20, 20, 20, 90], 'r': [0, 0, 0, 1, 1, 1, 2, 2, 2],"
        " 'c': [0, 1, 2] * 3})\n"
        "print(withhold_small_cells(t, CountedCells('n', ('r', 'c')))['n'].to_list())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in range(4)
    }  # fmt: skip
    assert len(said) == 1


def test_the_row_after_a_withheld_one_tells_of_it():
    table = pl.DataFrame({"n": [50, 4, 60, 70, 20, 80], "change": [0, 1, 2, 3, 4, 5]})
    cells = CountedCells("n", after=("change",))
    left = withhold_small_cells(table, cells)
    assert left["n"].to_list() == [50, None, 60, 70, None, 80]
    assert left["change"].to_list() == [0, 1, None, 3, 4, None]
    assert withheld_counts(table, left, cells).to_list() == [False, True, True, False, True, True]
    also = CountedCells("n", also=("change",), after=("change",))
    assert withhold_small_cells(table, also)["change"].to_list() == [0, None, None, 3, None, None]


@pytest.mark.parametrize(
    ("counts", "left"),
    [
        ([60, 40, 20, 30], [60, 40, 20, 30]),
        ([60, 40, 0, 0], [60, 40, 0, 0]),
        ([60, 5], [None, None]),
        ([5, 60, 70], [None, None, 70]),
    ],
)
def test_counts_whose_weighted_sum_is_known(counts, left):
    frame = pl.DataFrame({"n": counts, "units": list(range(len(counts)))})
    assert withhold_small_cells(frame, CountedCells("n", weight="units"))["n"].to_list() == left


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 5, 9, 10, 11, 14, 25]), min_size=2, max_size=6))
def test_no_small_count_follows_from_the_counts_and_their_units(counts):
    frame = pl.DataFrame({"n": counts, "units": list(range(len(counts)))})
    left = withhold_small_cells(frame, CountedCells("n", weight="units"))["n"].to_list()
    assert not any(n is not None and 0 < n < 11 for n in left)
    gone = [at for at, n in enumerate(left) if n is None and at]
    if None not in left[1:] or all(n is None for n in left):
        return
    ways = _ways(gone, sum(counts[at] for at in gone), sum(at * counts[at] for at in gone))
    for place, at in enumerate(gone):
        if 0 < counts[at] < 11:
            assert max(way[place] for way in ways) >= 11


def _ways(cells, n, units):
    """Every way in which so many encounters have so many units, by brute force."""
    if len(cells) == 1:
        return [(n,)] if n * cells[0] == units else []
    return [(one, *rest) for one in range(min(n, units // cells[0]) + 1)
            for rest in _ways(cells[1:], n - one, units - one * cells[0])]  # fmt: skip


# ---- a reader who reckons ----------------------------------------------------------------


def most(counts, known, sums, wanted):
    """The largest that the cells of ``wanted`` can be together, for who knows all that.

    ``known``: counts by cell; ``sums``: pairs of cells and their total.
    """
    size = len(counts)
    rows, totals = [], []
    for cell, value in known.items():
        rows.append(np.eye(size)[cell])
        totals.append(value)
    for cells, total in sums:
        rows.append(np.isin(np.arange(size), cells).astype(float))
        totals.append(total)
    aim = -np.isin(np.arange(size), wanted).astype(float)
    found = linprog(aim, A_eq=np.array(rows) if rows else None, b_eq=totals or None)
    return np.inf if found.status == 3 else -found.fun


def check_every_small_cell_is_hidden_well(rows):
    """Know every shown cell, the tables of the totals as they are shown, and all together."""
    counts, places = grid(rows)
    left = shown(counts, places=places, within=("r", "c"))
    known = {at: n for at, n in enumerate(left) if n is not None}
    assert not any(0 < n < 11 for n in known.values())
    sums, small_totals = [(list(range(len(counts))), sum(counts))], []
    for way in (0, 1):
        keys = sorted({place[way] for place in places})
        own = [[at for at, place in enumerate(places) if place[way] == key] for key in keys]
        totals = [sum(counts[at] for at in cells) for cells in own]
        for cells, total, told in zip(own, totals, shown(totals), strict=True):
            if told is not None:
                sums.append((cells, total))
            elif 0 < total < 11:
                small_totals.append(cells)
    for at, n in enumerate(counts):
        if 0 < n < 11:
            assert most(counts, known, sums, [at]) >= 11 - 1e-6, (rows, left, at)
    for cells in small_totals:
        assert most(counts, known, sums, cells) >= 11 - 1e-6, (rows, left, cells)


NUMBERS = st.one_of(
    st.sampled_from([0, 0, 1, 10, 11, 12]), st.integers(0, 40), st.integers(100, 5000)
)
TABLES = st.integers(1, 4).flatmap(
    lambda wide: st.lists(
        st.lists(NUMBERS, min_size=wide, max_size=wide), min_size=1, max_size=4
    )
).filter(lambda rows: sum(map(sum, rows)) >= 11)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(TABLES)
def test_no_small_count_can_be_reckoned_from_a_table_and_its_totals(rows):
    check_every_small_cell_is_hidden_well(rows)


@pytest.mark.parametrize(
    "rows",
    [
        [[5, 20, 30], [40, 50, 60], [70, 80, 90]],
        [[5, 60, 70], [20, 0, 0], [90, 80, 100]],
        [[5, 0, 0], [0, 50, 0], [0, 0, 60]],
        [[1, 10], [10, 1]],
        [[5, 6, 0], [6, 0, 5], [0, 15, 1]],
        [[3, 4], [100, 200]],
        [[3], [4], [50]],
        [[10, 10, 10, 10], [10, 10, 10, 10]],
        [[1, 1000], [1000, 1000], [0, 1]],
    ],
)
def test_tables_that_are_hard_to_protect(rows):
    check_every_small_cell_is_hidden_well(rows)


@settings(max_examples=250, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=9).filter(lambda counts: sum(counts) >= 11))
def test_no_small_count_can_be_reckoned_from_a_list_and_its_total(counts):
    left = shown(counts)
    hidden = [at for at, n in enumerate(left) if n is None]
    rest = sum(counts) - sum(n for n in left if n is not None)
    assert not any(n is not None and 0 < n < 11 for n in left)
    assert all(0 < counts[at] < 11 for at in hidden) or len(hidden) >= 2
    if hidden:
        assert len(hidden) >= 2
        assert rest >= 11
    # no more than needed: none beside two small ones that hide each other; else the smallest,
    # and with an 11 every other 11
    small = [n for n in counts if 0 < n < 11]
    wanted = small and (len(small) < 2 or sum(small) < 11)
    extra = [counts[at] for at in hidden if counts[at] >= 11]
    others = sorted(n for n in counts if n >= 11)
    assert sorted(extra) == (others[: max(1, others.count(11))] if wanted else [])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(NUMBERS, min_size=1, max_size=4), min_size=2, max_size=4))
def test_a_group_that_is_left_out_tells_nothing_of_the_others(groups):
    """Where no total is small, what is withheld of a group does not hang on the other groups."""
    groups = [own for own in groups if not 0 < sum(own) < 11]
    counts = [n for own in groups for n in own]
    places = [(at,) for at, own in enumerate(groups) for _ in own]
    whole = shown(counts, places=places, within=("g",))
    for gone in range(len(groups)):
        kept = [at for at, place in enumerate(places) if place[0] != gone]
        part = shown([counts[at] for at in kept], places=[places[at] for at in kept], within=("g",))
        assert part == [whole[at] for at in kept]


@settings(max_examples=100, deadline=None)
@given(TABLES)
def test_a_table_that_lacks_cells_never_shows_a_small_one(rows):
    """Only what is above zero has a row, as a count by group makes it."""
    counts, places = grid(rows)
    there = [at for at, n in enumerate(counts) if n]
    left = shown([counts[at] for at in there], places=[places[at] for at in there],
                 within=("r", "c"))  # fmt: skip
    assert not any(n is not None and n < 11 for n in left)
    hidden = [counts[at] for at, n in zip(there, left, strict=True) if n is None]
    assert not hidden or sum(hidden) >= 11


def test_a_large_table_is_quick():
    rows = [[(7 * r * c + r + c) % 40 for c in range(60)] for r in range(60)]
    counts, places = grid(rows)
    left = shown(counts, places=places, within=("r", "c"))
    assert not any(n is not None and 0 < n < 11 for n in left)
