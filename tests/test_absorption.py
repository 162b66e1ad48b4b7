"""Absorption models: worked cases, then second opinions that share no code with the package.

First order is compared with the published closed form in 60 decimal digits and with SciPy's
integrator; the capped depot with an exact formula for reflected flow in fractions; the hybrid
depot with SciPy, piece by piece between its bends.
"""

import time
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import table
from scipy.integrate import solve_ivp

import subq_toolkit.absorption as ab
from subq_toolkit.errors import InputError

MODELS = {"first_order": ab.FirstOrder, "capped": ab.Capped, "hybrid": ab.Hybrid}
FUNCTIONS = {"first_order": ab.first_order, "capped": ab.capped, "hybrid": ab.hybrid}
COLUMNS = ["time_h", "delivered_ml", "depot_ml", "absorbed_ml", "absorption_ml_per_h"]
SLOW, LIMIT = {"ka_per_h": 0.8}, {"limit_ml_per_h_per_site": 0.5}
EACH = {
    "first_order": ab.FirstOrder(**SLOW),
    "capped": ab.Capped(**LIMIT),
    "hybrid": ab.Hybrid(**SLOW, **LIMIT),
}
each_model = pytest.mark.parametrize("model", EACH.values(), ids=EACH.keys())


# --- the table of worked cases -------------------------------------------------------


def number(text: str) -> float | int:
    return int(text) if text.isdigit() else float(text)


def settings_in(words: list[str]) -> dict:
    pairs = (word.split("=") for word in words)
    return {
        name: [number(one) for one in text.split(",")] if name == "at_h" and "," in text
        else number(text)
        for name, text in pairs
    }  # fmt: skip


def inflow_in(text: str) -> ab.Inflow:
    """Read ``steps 2:5 2:1`` or ``constant ml_per_h=2 hours=4 + bolus ml=1``."""
    total = ab.Inflow()
    for part in text.split(" + "):
        kind, *words = part.split()
        if kind == "steps":
            plan = [tuple(map(number, word.split(":"))) for word in words if ":" in word]
            total += ab.steps(plan, **settings_in(words[len(plan) :]))
        else:
            total += getattr(ab, kind)(**settings_in(words))
    return total


@pytest.mark.parametrize(
    "case", table("absorption"), ids=lambda c: f"{c['model'].split()[0]}: {c['why']}"
)
def test_worked_cases(case: dict) -> None:
    kind, *words = case["model"].split()
    inflow, parameters = inflow_in(case["inflow"]), settings_in(words)
    if case["ask"] == "full_absorption_h":
        share = {"share": float(case["at"])} if case["at"] else {}
        got = ab.full_absorption_h(inflow, MODELS[kind](**parameters), **share)
    else:
        got = FUNCTIONS[kind](inflow, [float(case["at"])], **parameters)[case["ask"]].item()
    assert got == pytest.approx(float(case["expected"]), rel=1e-12, abs=1e-12), case["why"]


# --- random inputs, and what was delivered of them, by hand ---------------------------

EIGHTHS = st.integers(0, 32).map(lambda n: n / 8)
SOME_EIGHTHS = st.integers(1, 32).map(lambda n: n / 8)


@st.composite
def inflows(draw: st.DrawFn) -> ab.Inflow:
    """Up to four overlapping rates and three boluses, on eighths of an hour."""
    rate = st.tuples(EIGHTHS, SOME_EIGHTHS, SOME_EIGHTHS)
    runs = draw(st.lists(rate, min_size=1, max_size=4))
    boluses = draw(st.lists(st.tuples(EIGHTHS, SOME_EIGHTHS), max_size=3))
    return ab.Inflow(tuple((at, at + hours, ml) for at, hours, ml in runs), tuple(boluses))


def changes(inflow: ab.Inflow) -> list[float]:
    times = [t for start, stop, _ in inflow.segments for t in (start, stop)]
    return sorted({*times, *(at for at, _ in inflow.boluses)})


def rate_at(inflow: ab.Inflow, t: float) -> float:
    return sum(rate for start, stop, rate in inflow.segments if start <= t < stop)


def bolus_at(inflow: ab.Inflow, t: float) -> float:
    return sum(ml for at, ml in inflow.boluses if at == t)


def delivered(inflow: ab.Inflow, t: Fraction, including: bool = True) -> Fraction:
    """Up to ``t``, with or without the bolus of that very moment."""
    flowed = sum(
        Fraction(rate) * min(max(t - Fraction(start), 0), Fraction(stop) - Fraction(start))
        for start, stop, rate in inflow.segments
    )
    given_at_once = sum(
        Fraction(ml) for at, ml in inflow.boluses if at < t or (including and at == t)
    )
    return flowed + given_at_once


TIMES = [Fraction(n, 16) - 1 for n in range(0, 16 * 20, 7)]
GRID = np.array([float(t) for t in TIMES])


@given(inflows())
def test_delivered_volume_is_the_sum_of_rates_and_boluses(inflow: ab.Inflow) -> None:
    by_hand = [float(delivered(inflow, t)) for t in TIMES]
    assert ab.delivered_ml(inflow, GRID) == pytest.approx(by_hand, rel=1e-13)


# --- capped: exact fractions ----------------------------------------------------------


def reflected(inflow: ab.Inflow, t: Fraction, limit: Fraction) -> Fraction:
    """What exceeds the limit over some stretch up to ``t``, for the stretch where it is most."""
    since = [Fraction(s) for s in changes(inflow) if s <= t]
    now = delivered(inflow, t)
    return max(
        (now - delivered(inflow, s, including=False) - limit * (t - s) for s in since),
        default=Fraction(0),
    )


@given(inflows(), SOME_EIGHTHS, st.integers(1, 3))
def test_capped_depot_is_the_exact_reflected_flow(
    inflow: ab.Inflow, limit: float, sites: int
) -> None:
    course = ab.capped(inflow, GRID, limit_ml_per_h_per_site=limit, sites=sites)
    cap = Fraction(limit) * sites
    depot = [max(reflected(inflow, t, cap), Fraction(0)) for t in TIMES]
    assert course["depot_ml"].to_list() == pytest.approx([float(v) for v in depot], abs=1e-12)
    assert course["depot_ml"].min() >= 0
    rates = [
        float(cap) if held else min(rate_at(inflow, float(t)), float(cap))
        for held, t in zip(depot, TIMES, strict=True)
    ]
    assert course["absorption_ml_per_h"].to_list() == rates


@given(inflows(), st.floats(0.05, 5), st.integers(1, 4))
def test_capped_depot_is_empty_when_all_is_absorbed_and_not_before(
    inflow: ab.Inflow, limit: float, sites: int
) -> None:
    model = ab.Capped(limit_ml_per_h_per_site=limit, sites=sites)
    end = ab.full_absorption_h(inflow, model)
    course = model.depot(inflow, [end * (1 - 1e-9), end, end + 1])
    total = float(delivered(inflow, Fraction(1000)))
    assert course["absorbed_ml"][0] < total
    assert course["absorbed_ml"].to_list()[1:] == pytest.approx([total, total], rel=1e-12)
    assert course["depot_ml"].to_list()[1:] == [0, 0]
    assert course["absorption_ml_per_h"].to_list()[1:] == [0, 0]


@given(SOME_EIGHTHS, st.floats(0.1, 50), SOME_EIGHTHS, st.integers(1, 4))
def test_at_the_limit_a_faster_pump_never_shortens_absorption(
    volume: float, rate: float, limit: float, sites: int
) -> None:
    model, cap = ab.Capped(limit_ml_per_h_per_site=limit, sites=sites), limit * sites
    ends = [
        ab.full_absorption_h(ab.constant(ml_per_h=q, hours=volume / q), model)
        for q in (rate, 2 * rate)
    ]
    slow, fast = (max(volume / q, volume / cap) for q in (rate, 2 * rate))
    assert ends == pytest.approx([slow, fast], rel=1e-12)
    assert rate < cap or ends[1] >= ends[0] * (1 - 1e-12)


@given(inflows(), SOME_EIGHTHS, st.floats(0.05, 5), st.integers(1, 5), st.floats(0.1, 0.99))
def test_more_sites_never_lengthen_absorption(
    inflow: ab.Inflow, limit: float, ka: float, sites: int, share: float
) -> None:
    for kind, parameters, part in ((ab.Capped, {}, 1.0), (ab.Hybrid, {"ka_per_h": ka}, share)):
        few, more = (
            kind(limit_ml_per_h_per_site=limit, sites=n, **parameters) for n in (sites, sites + 1)
        )
        longer, shorter = (ab.full_absorption_h(inflow, m, share=part) for m in (few, more))
        assert shorter <= longer * (1 + 1e-12)


# --- first order and hybrid: SciPy, stretch by stretch --------------------------------


def integrated(inflow: ab.Inflow, times: np.ndarray, slope, bend=None) -> np.ndarray:
    """Depot, body, eliminated, absorbed at sorted ``times``, from dy/dt = slope(rate, y)."""
    state, now, found = np.zeros(4), 0.0, {t: np.zeros(4) for t in times if t < 0}
    may_bend = True
    for end in sorted({*changes(inflow), *times[times >= 0]}):
        while now < end:
            rate = rate_at(inflow, now)
            part = solve_ivp(
                lambda _, y, rate=rate: slope(rate, y), (now, end), state, method="DOP853",
                rtol=1e-12, atol=1e-13, events=[bend] if bend and may_bend else [],
            )  # fmt: skip
            may_bend &= part.status == 0  # a constant rate moves the depot one way: it bends once
            now, state = part.t[-1], part.y[:, -1]
        may_bend |= end in changes(inflow)
        state = state + np.array([bolus_at(inflow, end), 0, 0, 0])
        found[end] = state
    return np.array([found[t] for t in times])


def within(got: pl.Series, expected: np.ndarray, share: float, total: Fraction) -> bool:
    return bool(np.abs(got.to_numpy() - expected).max() <= share * float(total))


@given(
    inflows(),
    st.floats(0.05, 10),
    st.sampled_from([0.0, 1e-12, 1e-9, 1e-6, -1e-6, 1e-3, 0.5, -0.9, 3.0, 30.0]),
    st.floats(0.1, 1.2),
)
def test_first_order_matches_numerical_integration_and_loses_nothing(
    inflow: ab.Inflow, ka: float, apart: float, available: float
) -> None:
    ke = ka * (1 + apart)
    course = ab.first_order(inflow, GRID, ka_per_h=ka, ke_per_h=ke, bioavailability=available)
    slope = lambda q, y: [available * q - ka * y[0], ka * y[0] - ke * y[1], ke * y[1], ka * y[0]]  # noqa: E731
    entering = ab.Inflow(inflow.segments, tuple((t, available * ml) for t, ml in inflow.boluses))
    depot, body, eliminated, absorbed = integrated(entering, GRID, slope).T
    total = delivered(inflow, Fraction(1000))
    assert within(course["depot_ml"], depot, 1e-8, total)
    assert within(course["body_ml"], body, 1e-8, total)
    assert within(course["absorbed_ml"], absorbed, 1e-8, total)
    assert within(course["absorption_ml_per_h"], ka * depot, 1e-8 * ka, total)
    kept = course["depot_ml"] + course["body_ml"] + eliminated
    assert within(kept, available * course["delivered_ml"].to_numpy(), 1e-8, total)


@given(inflows(), st.floats(0.05, 10), st.floats(0.1, 8), st.integers(1, 3))
def test_hybrid_matches_numerical_integration(
    inflow: ab.Inflow, ka: float, limit: float, sites: int
) -> None:
    cap = limit * sites
    bend = lambda _, y: y[0] - cap / ka  # noqa: E731
    bend.terminal = True

    def slope(rate: float, y: np.ndarray) -> list[float]:
        absorbed = min(ka * y[0], cap)
        return [rate - absorbed, 0, 0, absorbed]

    course = ab.hybrid(inflow, GRID, ka_per_h=ka, limit_ml_per_h_per_site=limit, sites=sites)
    depot, _, _, absorbed = integrated(inflow, GRID, slope, bend).T
    total = delivered(inflow, Fraction(1000))
    assert within(course["depot_ml"], depot, 1e-8, total)
    assert within(course["absorbed_ml"], absorbed, 1e-8, total)
    assert within(course["absorption_ml_per_h"], np.minimum(ka * depot, cap), 1e-8 * ka, total)


@given(inflows(), st.floats(0.1, 5))
def test_hybrid_lies_between_its_two_limits(inflow: ab.Inflow, limit: float) -> None:
    cap = {"limit_ml_per_h_per_site": limit}
    fast = ab.hybrid(inflow, GRID, ka_per_h=1e9, **cap)
    assert np.allclose(fast["depot_ml"], ab.capped(inflow, GRID, **cap)["depot_ml"], atol=1e-7)
    free = ab.hybrid(inflow, GRID, ka_per_h=0.7, limit_ml_per_h_per_site=1e9)
    assert np.allclose(free["depot_ml"], ab.first_order(inflow, GRID, ka_per_h=0.7)["depot_ml"])


# --- first order: the published closed form in 60 digits ------------------------------


def body_in_many_digits(ka: float, ke: float, t: float) -> tuple[Decimal, Decimal]:
    """Body from a bolus of 1 mL and from 1 mL/h: facts 4.1 as written, no care for digits."""
    with localcontext() as context:
        context.prec = 120
        a, e, t = Decimal(ka), Decimal(ke), Decimal(t)
        fast, slow = (-a * t).exp(), (-e * t).exp()
        if a == e:
            return a * t * slow, (1 - (1 + e * t) * slow) / e
        return a / (a - e) * (slow - fast), (1 - (a * slow - e * fast) / (a - e)) / e


@pytest.mark.parametrize("hours", [1e-9, 1e-5, 7e-4, 1.1e-3, 0.1, 1.0, 7.0, 60.0])
@pytest.mark.parametrize(
    "apart", [0, 2**-50, -1e-14, 1e-12, 1e-9, -1e-8, 1e-6, -1e-6, 1e-4, 0.1, 10, -0.999, 1e4, 1e8]
)
def test_body_keeps_eleven_digits_however_close_the_two_rates(apart: float, hours: float) -> None:
    ka = 1.3
    rates = {"ka_per_h": ka, "ke_per_h": ka * (1 + apart)}
    one_bolus, one_per_h = body_in_many_digits(*rates.values(), hours)
    by_bolus = ab.first_order(ab.bolus(ml=1), hours, **rates)["body_ml"].item()
    by_rate = ab.first_order(ab.constant(ml_per_h=1, hours=99), hours, **rates)["body_ml"].item()
    assert by_bolus == pytest.approx(float(one_bolus), rel=1e-11, abs=1e-300)
    assert by_rate == pytest.approx(float(one_per_h), rel=1e-11, abs=1e-300)


@pytest.mark.parametrize(("ka", "ke"), [(2.0, 0.5), (0.5, 2.0), (8.66, 0.315), (1.0, 1.0001)])
def test_body_peaks_at_the_published_time(ka: float, ke: float) -> None:
    peak = np.log(ka / ke) / (ka - ke)
    times = peak * np.linspace(0.9, 1.1, 2001)
    body = ab.first_order(ab.bolus(ml=1), times, ka_per_h=ka, ke_per_h=ke)["body_ml"]
    assert times[body.arg_max()] == pytest.approx(peak, rel=2e-4)


@given(inflows(), inflows(), EIGHTHS)
def test_first_order_adds_up(one: ab.Inflow, other: ab.Inflow, factor: float) -> None:
    ask = {"time_h": GRID, "ka_per_h": 0.9, "ke_per_h": 0.4, "bioavailability": 0.7}
    both, first, second = (ab.first_order(i, **ask) for i in (one + factor * other, one, other))
    for name in (*COLUMNS[1:], "body_ml"):
        expected = (first[name] + factor * second[name]).to_numpy()
        assert np.allclose(both[name], expected, rtol=1e-12, atol=1e-12)


@given(inflows(), st.floats(0.05, 5), st.floats(0.01, 0.999))
def test_full_absorption_is_the_first_moment_the_share_is_reached(
    inflow: ab.Inflow, ka: float, share: float
) -> None:
    models = ab.FirstOrder(ka_per_h=ka, bioavailability=0.6), ab.Hybrid(ka_per_h=ka, **LIMIT)
    for model, enters in zip(models, (0.6, 1.0), strict=True):
        wanted = share * enters * float(delivered(inflow, Fraction(1000)))
        at = ab.full_absorption_h(inflow, model, share=share)
        before, then = model.depot(inflow, [at * (1 - 1e-9), at])["absorbed_ml"]
        assert before < wanted
        assert then == pytest.approx(wanted, rel=1e-11)


# --- what holds for every model -------------------------------------------------------


@each_model
@given(inflow=inflows())
def test_nothing_is_lost_and_nothing_flows_back(model, inflow: ab.Inflow) -> None:
    times = np.linspace(-1, 30, 4001)
    course = model.depot(inflow, times)
    held = course["depot_ml"] + course["absorbed_ml"]
    assert np.allclose(held, ab.delivered_ml(inflow, times), rtol=1e-12, atol=1e-12)
    assert (course["depot_ml"] >= 0).all()
    assert course["absorbed_ml"].diff().min() >= -1e-12
    rate = course["absorption_ml_per_h"].to_numpy()
    summed = np.concatenate([[0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(times))])
    jumps = (len(changes(inflow)) + 3) * rate.max() * (31 / 4000)
    assert np.abs(summed - course["absorbed_ml"].to_numpy()).max() <= jumps


@each_model
@given(inflow=inflows(), order=st.permutations(range(len(GRID))))
def test_times_may_come_in_any_order(model, inflow: ab.Inflow, order: list[int]) -> None:
    assert model.depot(inflow, GRID[order]).equals(model.depot(inflow, GRID)[order])


@each_model
def test_before_hour_0_there_is_nothing(model) -> None:
    inflow = ab.bolus(ml=5) + ab.constant(ml_per_h=4, hours=1)
    assert model.depot(inflow, [-1e9, -2, -1e-9])[COLUMNS[1:]].sum().row(0) == (0, 0, 0, 0)


@each_model
def test_nothing_is_ever_less_than_nothing(model) -> None:
    inflow = ab.constant(ml_per_h=0.3, hours=1)
    tiny = np.concatenate([[0], 10.0 ** np.arange(-20, 2), np.linspace(1e-12, 1e-10, 200)])
    assert all((column >= 0).all() for column in model.depot(inflow, tiny))


@pytest.mark.parametrize("tenths", range(1, 60))
def test_no_residue_of_rounding_stays_in_a_capped_depot(tenths: int) -> None:
    inflow, model = ab.constant(ml_per_h=tenths / 10, hours=0.7), ab.Capped(**LIMIT)
    course = model.depot(inflow, ab.full_absorption_h(inflow, model))
    assert course["depot_ml", "absorption_ml_per_h"].row(0) == (0, 0)


@each_model
def test_a_very_short_infusion_tends_to_a_bolus(model) -> None:
    times = np.linspace(0.1, 12, 60)
    whole = model.depot(ab.bolus(ml=5), times)["depot_ml"].to_numpy()
    off = [
        np.abs(model.depot(ab.constant(ml_per_h=5 / h, hours=h), times)["depot_ml"] - whole).max()
        for h in (1e-2, 1e-4, 1e-6)
    ]
    assert off[0] < 0.05
    assert off[1] <= max(off[0] / 50, 1e-12)
    assert off[2] <= max(off[1] / 50, 1e-12)


@each_model
@pytest.mark.parametrize("minutes", [2, 5, 15])
def test_pulses_every_few_minutes_are_nearly_a_continuous_infusion(model, minutes: int) -> None:
    every, ml_per_h = minutes / 60, 0.7
    pulsed = ab.pulses(ml=ml_per_h * every, every_h=every, count=8 * 60 // minutes)
    steady = ab.constant(ml_per_h=ml_per_h, hours=8)
    times = np.linspace(0, 12, 997)
    off = model.depot(pulsed, times)["depot_ml"] - model.depot(steady, times)["depot_ml"]
    assert 0.3 * ml_per_h * every < off.abs().max() <= ml_per_h * every * (1 + 1e-9)
    end = [ab.full_absorption_h(inflow, model, share=0.99) for inflow in (pulsed, steady)]
    assert end[0] == pytest.approx(end[1], abs=1.01 * every)


@pytest.mark.parametrize(("every", "least", "most"), [(0.25, 0.005, 0.015), (1.0, 0.1, 0.2)])
def test_body_hardly_feels_pulses_15_minutes_apart(every: float, least: float, most: float) -> None:
    """Compared with the published multiple-dose formula; the swing is a share of the mean."""
    ka, ke, since = 60 / 55, 1.0, np.linspace(0, every, 101)[:-1]
    ka_left, ke_left = np.exp([-ka * every, -ke * every])
    settled = np.exp(-ke * since) / (1 - ke_left) - np.exp(-ka * since) / (1 - ka_left)
    settled *= every * ka / (ka - ke)
    pulsed = ab.pulses(ml=every, every_h=every, count=int(61 / every))
    body = ab.first_order(pulsed, 60 + since, ka_per_h=ka, ke_per_h=ke)["body_ml"].to_numpy()
    assert np.allclose(body, settled, rtol=1e-9)
    assert least < np.ptp(body) / ke < most


@each_model
def test_columns(model) -> None:
    course = model.depot(ab.bolus(ml=1), pl.Series([0, 1]))
    assert course.columns == COLUMNS
    assert set(course.dtypes) == {pl.Float64}
    assert model.depot(ab.Inflow(), 3).row(0) == (3, 0, 0, 0, 0)
    assert model.depot(ab.bolus(ml=1), []).shape == (0, 5)


def test_a_high_rate_leaves_no_trace() -> None:
    inflow = ab.constant(ml_per_h=0.1, hours=9) + ab.constant(ml_per_h=1e13, hours=1, start_h=2)
    assert inflow.stretches.ml_per_h.tolist() == [0, 0.1, 1e13 + 0.1, 0.1, 0]


# --- refusals -------------------------------------------------------------------------

#: A call, and below it what is said.
REFUSED = """
constant(ml_per_h=-1, hours=2)
    ml_per_h must be 0 or more; it is negative. Correct its sign.

constant(ml_per_h="3", hours=2)
    ml_per_h must be a number, 0 or more; it is of type str. Write e.g. ml_per_h=3, without unit
    or quotes.

constant(ml_per_h=float("inf"), hours=2)
    ml_per_h must be a finite number, 0 or more; it is endless or missing. Replace it.

constant(ml_per_h=2, hours=float("nan"))
    hours must be a finite number, more than 0; it is endless or missing. Replace it.

constant(ml_per_h=2, hours=-1)
    hours must be more than 0; it is 0 or negative. Correct it.

constant(ml_per_h=2, hours=0)
    hours must be more than 0; it is 0 or negative. Correct it.

constant(ml_per_h=2, hours=1, start_h=-1)
    start_h must be 0 or more; it is negative. Correct its sign.

steps([2, 6])
    steps must be a list of rows (hours, ml_per_h). Write plain numbers, without units or quotes.

steps([(2, 6, 1)])
    steps must be a list of rows (hours, ml_per_h); the rows have 3 numbers. Give 2.

steps([(2, 6), (1,)])
    steps must be a list of rows (hours, ml_per_h). Write plain numbers, without units or quotes.

steps([("2 h", 6)])
    steps must be a list of rows (hours, ml_per_h). Write plain numbers, without units or quotes.

steps([(2, -6), (1, 1)])
    steps must be a list of rows (hours, ml_per_h), each number 0 or more; 1 row(s) hold a
    negative one. Correct the sign; a plan that begins before hour 0 must be moved.

steps([(0, 6)])
    steps: hours must be more than 0 in every row. Leave out empty steps.

steps([(1, 6)], start_h=-1)
    start_h must be 0 or more; it is negative. Correct its sign.

pulses(ml=1, every_h=1, count=1.5)
    count must be a whole number from 1 to 1,000,000. Write e.g. count=2, without unit, quotes or
    decimal point.

pulses(ml=1, every_h=1, count=1_000_001)
    count must be a whole number from 1 to 1,000,000. Write e.g. count=2, without unit, quotes or
    decimal point.

pulses(ml=1, every_h=1, count=0)
    count must be a whole number from 1 to 1,000,000. Write e.g. count=2, without unit, quotes or
    decimal point.

pulses(ml=1, every_h=0, count=2)
    every_h must be more than 0; it is 0 or negative. Correct it.

pulses(ml=-1, every_h=1, count=2)
    ml must be 0 or more; it is negative. Correct its sign.

pulses(ml=1, every_h=1, count=2, start_h=None)
    start_h must be a number, 0 or more; it is of type NoneType. Write e.g. start_h=3, without
    unit or quotes.

bolus(ml=True)
    ml must be a number, 0 or more; it is of type bool. Write e.g. ml=3, without unit or quotes.

bolus(ml=1, at_h=-1)
    at_h must be 0 or more; it is negative. Correct its sign.

patient_controlled(basal_ml_per_h=1, bolus_ml=1, hours=2, at_h=[0, 2.1])
    at_h must lie from 0 to hours, while the pump runs. Correct the times, or lengthen hours.

patient_controlled(basal_ml_per_h=1, bolus_ml=1, hours=2, at_h=-1)
    at_h must lie from 0 to hours, while the pump runs. Correct the times, or lengthen hours.

patient_controlled(basal_ml_per_h=-1, bolus_ml=1, hours=2, at_h=[])
    basal_ml_per_h must be 0 or more; it is negative. Correct its sign.

patient_controlled(basal_ml_per_h=1, bolus_ml=-1, hours=2, at_h=[])
    bolus_ml must be 0 or more; it is negative. Correct its sign.

Inflow(segments=((2, 1, 5),))
    segments: to_h must be after from_h. Swap the two, or leave the row out.

Inflow(segments=((1, 1, 5),))
    segments: to_h must be after from_h. Swap the two, or leave the row out.

Inflow(boluses=((float("nan"), 1),))
    boluses must be a list of rows (at_h, ml); some are endless or missing. Replace or remove
    them.

bolus(ml=1) * -1
    the factor of an inflow must be 0 or more; it is negative. Correct its sign.

capped([1, 2], 1, limit_ml_per_h_per_site=3)
    inflow must be an Inflow. Make one with constant, steps, pulses, bolus or patient_controlled.

capped(bolus(ml=1), ["1"], limit_ml_per_h_per_site=3)
    time_h must be a number or a list of finite numbers, in hours. Write plain numbers, without
    units or quotes.

capped(bolus(ml=1), pl.Series([1, None]), limit_ml_per_h_per_site=3)
    time_h must be a number or a list of finite numbers, in hours; some are endless or missing.
    Replace or remove them.

capped(bolus(ml=1), np.array(["2026-03-02"], "datetime64[h]"), limit_ml_per_h_per_site=3)
    time_h must be a number or a list of finite numbers, in hours. Write plain numbers, without
    units or quotes.

capped(bolus(ml=1), [[1, 2]], limit_ml_per_h_per_site=3)
    time_h must be a number or a list of finite numbers, in hours. Write plain numbers, without
    units or quotes.

capped(bolus(ml=1), 1, limit_ml_per_h_per_site=0)
    limit_ml_per_h_per_site must be more than 0; it is 0 or negative. Correct it.

capped(bolus(ml=1), 1, limit_ml_per_h_per_site=3, sites=0)
    sites must be a whole number from 1 to 1,000,000. Write e.g. sites=2, without unit, quotes or
    decimal point.

hybrid(bolus(ml=1), 1, ka_per_h=1, limit_ml_per_h_per_site=3, sites=True)
    sites must be a whole number from 1 to 1,000,000. Write e.g. sites=2, without unit, quotes or
    decimal point.

hybrid(bolus(ml=1), 1, ka_per_h=0, limit_ml_per_h_per_site=3)
    ka_per_h must be more than 0; it is 0 or negative. Correct it.

hybrid(bolus(ml=1), 1, ka_per_h=1, limit_ml_per_h_per_site="3")
    limit_ml_per_h_per_site must be a number, more than 0; it is of type str. Write e.g.
    limit_ml_per_h_per_site=3, without unit or quotes.

first_order(bolus(ml=1), 1, ka_per_h=-1)
    ka_per_h must be more than 0; it is 0 or negative. Correct it.

first_order(bolus(ml=1), 1, ka_per_h=1, ke_per_h=0)
    ke_per_h must be more than 0; it is 0 or negative. Correct it.

first_order(bolus(ml=1), 1, ka_per_h=1, bioavailability=0)
    bioavailability must be more than 0; it is 0 or negative. Correct it.

full_absorption_h(bolus(ml=1), Capped(limit_ml_per_h_per_site=3), share=99)
    share must be at most 1. For 99 percent write share=0.99.

full_absorption_h(bolus(ml=1), Capped(limit_ml_per_h_per_site=3), share=0)
    share must be more than 0; it is 0 or negative. Correct it.

full_absorption_h(bolus(ml=1), FirstOrder(ka_per_h=1), share=1)
    share must be below 1: a FirstOrder depot never empties wholly. Write e.g. share=0.99.

full_absorption_h(bolus(ml=1), Hybrid(ka_per_h=1, limit_ml_per_h_per_site=3), share=1)
    share must be below 1: a Hybrid depot never empties wholly. Write e.g. share=0.99.

full_absorption_h(bolus(ml=1), "capped")
    model must be FirstOrder(...), Capped(...) or Hybrid(...). Write e.g.
    Capped(limit_ml_per_h_per_site=3).

full_absorption_h(0 * bolus(ml=1), Capped(limit_ml_per_h_per_site=3))
    inflow delivers nothing. Give it a rate or a volume above 0.
"""


@pytest.mark.parametrize("refused", REFUSED.strip().split("\n\n"))
def test_refusals_say_what_to_change(refused: str) -> None:
    call, *said = map(str.strip, refused.split("\n"))
    with pytest.raises(InputError) as caught:
        eval(call, vars(ab) | {"np": np, "pl": pl})
    assert str(caught.value) == " ".join(said)


def test_an_inflow_adds_only_to_an_inflow() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        _ = ab.bolus(ml=1) + 1


# --- what is said, and how fast -------------------------------------------------------


def test_only_first_order_claims_a_fit() -> None:
    fits = dict(ab.models()["model", "fit"].iter_rows())
    assert set(fits) == set(FUNCTIONS)
    assert {name for name, fit in fits.items() if "no published fit" in fit} == {"capped", "hybrid"}
    assert ab.models().columns == ["model", "about", "fit", "cite"]
    for device in (ab.Capped, ab.capped, ab.Hybrid, ab.hybrid):
        assert "without a published fit" in device.__doc__


def test_every_public_name_is_documented() -> None:
    assert all((getattr(ab, name).__doc__ or "").strip() for name in ab.__all__)


def fastest(call, times: int = 15) -> float:
    def once() -> float:
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    return min(once() for _ in range(times))


def all_three(inflow: ab.Inflow, times: np.ndarray) -> None:
    ab.first_order(inflow, times, **SLOW, ke_per_h=0.3)
    ab.capped(inflow, times, **LIMIT)
    ab.hybrid(inflow, times, **SLOW, **LIMIT)


def test_three_models_of_six_steps_take_no_time() -> None:
    plan = [(0.5, 5), (0.5, 10), (0.5, 20), (0.5, 40), (1, 80), (1, 20)]
    assert fastest(lambda: all_three(ab.steps(plan), np.linspace(0, 9, 300))) < 0.005


def test_ten_thousand_pulses_take_little_time() -> None:
    once = lambda: all_three(ab.pulses(ml=1e-3, every_h=1e-3, count=10_000), GRID)  # noqa: E731
    assert fastest(once, 5) < 0.2
