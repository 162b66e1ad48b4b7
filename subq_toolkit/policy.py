"""The choices on which sources disagree, as one frozen value.

The questions, the answers and who gives them stand in ``parameters/policies.toml``.
The default is the answer most easily defended in an audit. Change a policy with
``dataclasses.replace``; comparing two is two calls on the same data.
"""

import difflib
from dataclasses import dataclass, fields

import polars as pl

from subq_toolkit.effective import read_table, sources
from subq_toolkit.errors import InputError

_TABLE = read_table("policies")
CHOICES: dict[str, dict] = _TABLE["choices"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What to do where sources disagree; see ``policy_choices()`` for each answer's source.

    Attributes
    ----------
    missing_stop
        ``query``, ``short`` (adds no counted time) or ``computed`` (start + volume / rate).
    midnight
        ``start_date`` or ``split``.
    bridge_pauses_min
        Pauses up to this long count as infusion time. [min]
    seconds
        ``drop`` or ``count``.
    unit_cap
        ``none`` or ``unlikely_edit``.
    second_encounter, intravenous, home
        ``refer`` to a coder, or ``report``.
    running_at_discharge
        ``refer`` or ``stop_at_discharge``.
    """

    missing_stop: str = CHOICES["missing_stop"]["default"]
    midnight: str = CHOICES["midnight"]["default"]
    bridge_pauses_min: int = 0
    seconds: str = CHOICES["seconds"]["default"]
    unit_cap: str = CHOICES["unit_cap"]["default"]
    second_encounter: str = CHOICES["second_encounter"]["default"]
    intravenous: str = CHOICES["intravenous"]["default"]
    running_at_discharge: str = CHOICES["running_at_discharge"]["default"]
    home: str = CHOICES["home"]["default"]

    def __post_init__(self) -> None:
        for name, choice in CHOICES.items():
            given, answers = getattr(self, name), list(choice["answers"])
            if given not in answers:
                near = difflib.get_close_matches(str(given), answers, n=1)
                hint = f" Did you mean '{near[0]}'?" if near else ""
                raise InputError(
                    f"Policy: {name} is one of {', '.join(map(repr, answers))}, "
                    f"not {given!r}.{hint}"
                )
        bridge = self.bridge_pauses_min
        if not isinstance(bridge, int) or isinstance(bridge, bool) or not 0 <= bridge <= 60:
            raise InputError(
                f"Policy: bridge_pauses_min is a whole number of minutes from 0 to 60, "
                f"not {bridge!r}."
            )


def policy_preset(name: str) -> Policy:
    """One of the named policies that ``policy_presets()`` lists.

    Raises
    ------
    InputError
        If there is none of that name; the message lists those that exist.
    """
    presets = _TABLE["presets"]
    if name not in presets:
        raise InputError(f"There is no policy preset {name!r}; there are {', '.join(presets)}.")
    return Policy(**presets[name]["values"])


def policy_presets() -> pl.DataFrame:
    """The named policies: ``preset``, ``about``, ``differs_in``, ``cite``.

    ``cite`` names the sources of the answers that differ; of all answers for the default.
    """
    defaults = {name: choice["default"] for name, choice in CHOICES.items()}
    defaults["bridge_pauses_min"] = 0
    return pl.DataFrame(
        [
            {
                "preset": name,
                "about": preset["about"],
                "differs_in": ", ".join(f"{key} = {val}" for key, val in preset["values"].items()),
                "cite": "; ".join(
                    dict.fromkeys(
                        cite(key, val) for key, val in (preset["values"] or defaults).items()
                    )
                ),
            }
            for name, preset in _TABLE["presets"].items()
        ]
    )


def policy_choices() -> pl.DataFrame:
    """List each question's answers: ``choice, question, answer, means, is_default, cite``."""
    return pl.DataFrame(
        [
            {
                "choice": name,
                "question": choice["question"],
                "answer": answer,
                "means": entry["means"],
                "is_default": answer == choice["default"],
                "cite": cite(name, answer),
            }
            for name, choice in CHOICES.items()
            for answer, entry in choice["answers"].items()
        ]
        + [
            {
                "choice": "bridge_pauses_min",
                "question": _TABLE["bridge"]["question"],
                "answer": "0" if kind == "none" else "1 to 60",
                "means": _TABLE["bridge"][kind],
                "is_default": kind == "none",
                "cite": cite("bridge_pauses_min", int(kind == "some")),
            }
            for kind in ("none", "some")
        ]
    )


def cite(choice: str, answer: str | int) -> str:
    """The source of one answer, in one line."""
    if choice == "bridge_pauses_min":
        bridge = _TABLE["bridge"]
        return sources()[bridge["some_source" if answer else "none_source"]].cite(
            bridge["standing"]
        )
    entry = CHOICES[choice]["answers"][answer]
    return sources()[entry["source"]].cite(entry["standing"])


def differences(policy: Policy) -> dict[str, str | int]:
    """The choices in which ``policy`` leaves the default."""
    usual = Policy()
    return {
        field.name: getattr(policy, field.name)
        for field in fields(Policy)
        if getattr(policy, field.name) != getattr(usual, field.name)
    }
