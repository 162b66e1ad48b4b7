"""How many encounters are drawn from each stratum."""

from collections.abc import Collection, Mapping
from fractions import Fraction
from math import floor

from subq_toolkit.audit.intervals import is_whole
from subq_toolkit.errors import InputError


def allocated(
    sizes: Mapping[str, int],
    weights: Mapping[str, float],
    *,
    size: int | Mapping[str, int],
    least: int,
    take_all: Collection[str] = (),
) -> dict[str, int]:
    """Share a sample out among strata, in proportion to weights.

    Parameters
    ----------
    sizes, weights
        Encounters of each stratum [1], and in proportion to what they share.
    size
        The sample in all, or for each stratum. [1]
    least
        A stratum gets that many, or all it has. [1]
    take_all
        Strata that are drawn whole.

    Returns
    -------
    dict
        Encounters to draw from each stratum [1]. Shares that are no whole number are rounded by
        the largest remainders, so that they add up to ``size``.

    Raises
    ------
    InputError
        If a stratum is unknown or missing, or a size cannot be drawn.
    """
    _known(take_all, sizes, "take_all")
    low = {one: of if one in take_all else min(least, of) for one, of in sizes.items()}
    if isinstance(size, Mapping):
        return _as_stated(size, sizes, low)
    if not is_whole(size) or size < 1:
        raise InputError("size is a whole number of encounters, or one for each stratum by name.")
    if size > sum(sizes.values()):
        raise InputError(
            f"size is {size:,}, but there are only {sum(sizes.values()):,} encounters."
        )
    if size < sum(low.values()):
        raise InputError(
            f"size is {size:,}; {least} of each of {len(sizes)} strata, and all of those that are "
            f"taken whole, are {sum(low.values()):,}. Draw more, or keep fewer columns apart."
        )
    return _rounded(_shares(size, weights, low, sizes), size)


def _as_stated(
    stated: Mapping[str, int], sizes: Mapping[str, int], low: Mapping[str, int]
) -> dict[str, int]:
    _known(stated, sizes, "size")
    missing = [one for one in sizes if one not in stated]
    if missing:
        raise InputError(
            f"size says nothing of {len(missing)} of {len(sizes)} strata, first of "
            f"{missing[0]!r}. State each, or a number in all."
        )
    for one, wanted in stated.items():
        if not is_whole(wanted) or not low[one] <= wanted <= sizes[one]:
            raise InputError(
                f"size of {one!r} is a whole number from {low[one]:,} to {sizes[one]:,}."
            )
    return {one: stated[one] for one in sizes}


def _known(named: Collection[str], sizes: Mapping[str, int], argument: str) -> None:
    unknown = [one for one in named if one not in sizes]
    if unknown:
        held = [repr(one) for one in list(sizes)[:5]]
        more = ", ..." if len(sizes) > len(held) else ""
        raise InputError(
            f"{argument}= names {unknown[0]!r}, which is no stratum. There are "
            f"{', '.join(held)}{more}."
        )


def _shares(
    size: int, weights: Mapping[str, float], low: Mapping[str, int], high: Mapping[str, int]
) -> dict[str, Fraction]:
    """Exact shares within their bounds: what some may not have is shared by the others."""
    fixed: dict[str, Fraction] = {}
    exact = {one: Fraction(weight) for one, weight in weights.items()}
    while free := [one for one in exact if one not in fixed]:
        left, whole = size - sum(fixed.values()), sum(exact[one] for one in free)
        if not whole:
            exact = {one: Fraction(high[one]) for one in exact}
            continue
        share = {one: left * exact[one] / whole for one in free}
        below = sum(max(low[one] - share[one], 0) for one in free)
        above = sum(max(share[one] - high[one], 0) for one in free)
        if not below and not above:
            return fixed | share
        # Those whose bounds miss most are settled first: sharing out the rest cannot free them.
        if below >= above:
            fixed |= {one: Fraction(low[one]) for one in free if share[one] < low[one]}
        else:
            fixed |= {one: Fraction(high[one]) for one in free if share[one] > high[one]}
    return fixed


def _rounded(shares: Mapping[str, Fraction], size: int) -> dict[str, int]:
    whole = {one: floor(share) for one, share in shares.items()}
    by_rest = sorted(shares, key=lambda one: (whole[one] - shares[one], one))
    for one in by_rest[: size - sum(whole.values())]:
        whole[one] += 1
    return {one: whole[one] for one in sorted(whole)}
