"""What happens to an invented claim: errors that an audit must find, and habits that are none."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from subq_toolkit.synthetic.charge_shapes import charge_shapes
from subq_toolkit.synthetic.invented_claim import FIRST, FURTHER, SETUP, SHORT, VEIN, Claim


class Kind(NamedTuple):
    """What happens to a claim, and to which encounters it may."""

    may: Callable[[dict], bool]
    act: Callable[[Claim], list[tuple] | None]


def _plain(one: dict) -> bool:
    """Coded, read as a whole, within the edit, not at home, nothing beside it."""
    beside = (
        one["veins"] or one["injections"] or one["setting"] == "home" or not one["infusion_min"]
    )
    return one["outcome"] == "coded" and not (one["unread"] or beside or one["further"] > 3)


def _hour_too_many(claim: Claim) -> list[tuple]:
    claim.line(FURTHER)["units"] += 1
    return claim.found(c96370="over")


def _hour_too_few(claim: Claim) -> list[tuple]:
    claim.line(FURTHER)["units"] -= 1
    return claim.found(c96370="under")


def _into_a_vein(claim: Claim) -> list[tuple]:
    right = claim.all_found("wrong_family")
    for line in claim.lines:
        line["code"] = VEIN[line["code"]]
    return right + claim.all_found("wrong_family")


def _as_injection(claim: Claim) -> list[tuple]:
    right = claim.all_found("wrong_family")
    claim.lines.clear()
    claim.add(SHORT, 1)
    return right + claim.all_found("wrong_family")


def _twice(claim: Claim) -> list[tuple]:
    found = claim.all_found("duplicate")
    claim.lines += [dict(line) for line in claim.lines]
    return found


def _add_on_alone(claim: Claim) -> list[tuple]:
    claim.lines.remove(claim.line(FIRST))
    return claim.all_found("add_on_without_primary") + claim.found(c96369="under")


def _setups_by_site(claim: Claim) -> list[tuple]:
    claim.line(SETUP)["units"] = 2
    return claim.found(c96371="setup_more_than_once")


def _beyond_the_edit(claim: Claim) -> list[tuple]:
    claim.line(FURTHER)["units"] = 5
    return claim.found(c96370="above_unlikely_edit")


def _other_revenue(claim: Claim) -> list[tuple]:
    for line in claim.lines:
        line["revenue_code"] = "0260"
    return claim.all_found("wrong_revenue_code")


def _a_day_late(claim: Claim) -> list[tuple]:
    for line in claim.lines:
        line["service_date"] += timedelta(days=1)
    return claim.all_found("wrong_date")


def _never(claim: Claim) -> list[tuple]:
    found = claim.all_found("chart_without_charge")
    claim.lines.clear()
    return found


def _unknown_number(claim: Claim) -> list[tuple]:
    number = f"SYN-X{claim.place + 1:05}"
    again = [line | {"encounter_id": number} for line in claim.lines]
    claim.lines += again
    return [(number, line["code"], "charge_without_chart") for line in again]


def _undocumented(claim: Claim) -> list[tuple]:
    claim.add(FIRST, 1)
    return claim.found(c96369="documentation_missing")


def _undecided(claim: Claim) -> list[tuple]:
    claim.add(FIRST, 1)
    return []


def _split(claim: Claim) -> None:
    line = claim.line(FURTHER)
    line["units"] -= 1
    claim.add(FURTHER, 1, nth=2)


def _undone(claim: Claim, frequency: str) -> None:
    """A first claim with an hour too many, undone by a second; then the right one."""
    right = [dict(line) for line in claim.lines]
    claim.lines.clear()
    claim.add(FIRST, 1)
    claim.add(FURTHER, 1 + claim.of["further"])
    if frequency == "8":
        undo = {"frequency": "8", "replaces_claim_id": claim.number()}
        claim.add(FIRST, 1, nth=2, **undo)
        changed = {"claim_id": claim.number(3)}
    else:
        changed = {"claim_id": claim.number(2), "frequency": "7"}
        changed["replaces_claim_id"] = claim.number()
    claim.lines += [line | changed for line in right]


def _credited(claim: Claim) -> None:
    claim.add(FIRST, 1)
    claim.add(FIRST, -1)


def _other_spelling(claim: Claim) -> None:
    for line in claim.lines:
        line["encounter_id"] = f" {line['encounter_id'].lower()} "


def _after_midnight(claim: Claim) -> None:
    claim.line(FURTHER)["service_date"] += timedelta(days=1)


def _nothing_complete(one: dict) -> bool:
    """A query in which no run has both times, so that nothing is supported yet."""
    open_run = one["outcome"] == "query" and one["under_skin"] and not one["complete"]
    return open_run and not one["unread"]


def _hospital(one: dict) -> bool:
    return _plain(one) and one["setting"] in charge_shapes()["revenue_codes"]


def _short_stay(one: dict) -> bool:
    return _plain(one) and one["first"] == 1 and not one["setup"] and not one["crosses"]


#: Errors: to which encounters they may happen, and what an audit must find then.
SLIPS: dict[str, Kind] = {
    "one_hour_too_many": Kind(lambda one: _plain(one) and 1 <= one["further"] <= 2, _hour_too_many),
    "one_hour_too_few": Kind(lambda one: _plain(one) and one["further"] >= 2, _hour_too_few),
    "into_a_vein": Kind(_short_stay, _into_a_vein),
    "as_an_injection": Kind(lambda one: _plain(one) and one["first"] == 1, _as_injection),
    "twice": Kind(lambda one: _plain(one) and one["first"] == 1, _twice),
    "add_on_alone": Kind(lambda one: _plain(one) and one["further"] >= 1, _add_on_alone),
    "setups_by_site": Kind(lambda one: _plain(one) and one["setup"] == 1, _setups_by_site),
    "beyond_the_edit": Kind(lambda one: _plain(one) and one["further"] >= 1, _beyond_the_edit),
    "other_revenue_code": Kind(_hospital, _other_revenue),
    "a_day_late": Kind(lambda one: _plain(one) and not one["crosses"], _a_day_late),
    "never_charged": Kind(_plain, _never),
    "unknown_number": Kind(_short_stay, _unknown_number),
    "without_documentation": Kind(
        _nothing_complete,
        _undocumented,
    ),
    "before_a_coder_decided": Kind(lambda one: one["outcome"] == "refer", _undecided),
}
#: Habits that look like errors and are none.
HABITS: dict[str, Kind] = {
    "split_claims": Kind(lambda one: _plain(one) and one["further"] >= 2, _split),
    "replaced_claim": Kind(_short_stay, lambda claim: _undone(claim, "7")),
    "voided_claim": Kind(_short_stay, lambda claim: _undone(claim, "8")),
    "credited_line": Kind(lambda one: _plain(one) and one["first"] == 1, _credited),
    "other_spelling": Kind(_plain, _other_spelling),
    "further_hours_after_midnight": Kind(
        lambda one: _plain(one) and one["crosses"] and one["further"] >= 1, _after_midnight
    ),
}
