"""The numbers of the rules: every value, answer and finding of ``parameters/*.toml``."""

from collections.abc import Iterator
from importlib.resources import files

from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.formulas import unit_of
from subq_toolkit.numbers_in_use.provenance import Number
from subq_toolkit.policy import Policy, policy_choices

#: Synonyms by which files are read; they have no source and decide no unit.
_WORDS_ONLY = ("vocabulary", "charge_words", "deidentification")
_SOURCES, _POLICIES, _BRIDGE = "sources", "policies", "bridge_pauses_min"
#: What an entry says beside its value.
_BESIDE = ("label", "unit", "start", "until", "source", "standing", "review_by", "note")
_BESIDE += ("what_to_do",)


def rule_numbers() -> Iterator[Number]:
    """Every value of every parameter file, by the names of the files, oldest version first."""
    for subject in _subjects():
        table = read_table(subject)
        if subject == _POLICIES:
            yield from _answers(table)
        else:
            yield from _entries(subject, table)


def _subjects() -> list[str]:
    folder = files("subq_toolkit") / "parameters"
    named = (path.name.removesuffix(".toml") for path in folder.iterdir())
    told = (name for name in named if not name.endswith(_SOURCES) and name not in _WORDS_ONLY)
    return sorted(told)


def _entries(subject: str, table: dict, within: tuple[str, ...] = ()) -> Iterator[Number]:
    """Dated values, or entries that name a source themselves, however deep they stand."""
    for key, entry in table.items():
        path = (*within, key)
        if not isinstance(entry, dict):
            raise InputError(
                f"{_file(subject)}: '{'.'.join(path)}' has no source. Put it into a table with "
                f"'source' and 'standing', so that it can be told where it comes from."
            )
        if "values" in entry:
            versions = sorted(entry["values"], key=lambda one: one["start"])
            shared = {name: one for name, one in entry.items() if name != "values"}
            yield from (_number(subject, path, shared | version) for version in versions)
        elif "source" in entry:
            yield _number(subject, path, entry)
        else:
            yield from _entries(subject, entry, path)


def _number(subject: str, path: tuple[str, ...], entry: dict) -> Number:
    valued = [_written(one) for name, one in entry.items() if name not in _BESIDE]
    note = [entry[name] for name in ("what_to_do", "note") if name in entry]
    return {
        "subject": subject.replace("_", " "),
        "name": ".".join(path),
        "label": entry.get("label", path[-1].replace("_", " ").capitalize()),
        "value": ", ".join(valued),
        "unit": entry.get("unit"),
        "start": entry.get("start"),
        "until": entry.get("until"),
        "graded": entry.get("standing"),
        "key": entry.get("source"),
        "review_by": entry.get("review_by"),
        "note": " ".join(note) or None,
        "file": _file(subject),
    }


def _answers(table: dict) -> Iterator[Number]:
    """The answers of each question, of the bridged pause too, and what the presets set."""
    for choice, entry in table["choices"].items():
        for answer, given in entry["answers"].items():
            yield _answer(f"{choice}.{answer}", answer, given, answer == entry["default"])
    bridge = table["bridge"]
    rows = policy_choices().rows(named=True)
    bridged = [row for row in rows if row["choice"] == _BRIDGE]
    for kind, row in zip(("none", "some"), bridged, strict=True):
        given = {"means": bridge[kind], "source": bridge[f"{kind}_source"]}
        given |= {"standing": bridge["standing"], "unit": "min"}
        yield _answer(f"{_BRIDGE}.{kind}", row["answer"], given, row["is_default"])
    for preset, entry in table["presets"].items():
        for choice, answer in entry["values"].items():
            given = {"means": entry["about"], "source": "house", "standing": "house"}
            if isinstance(getattr(Policy(), choice), int):
                given["unit"] = unit_of(choice)
            yield _answer(f"presets.{preset}.{choice}", _written(answer), given, False)


def _answer(name: str, answer: str, given: dict, is_default: bool) -> Number:
    entry = {one: given[one] for one in ("source", "standing", "unit") if one in given}
    if is_default:
        entry["note"] = "Taken where nothing else is chosen."
    return _number(_POLICIES, (name,), {"label": given["means"], "value": answer} | entry)


def _written(value: object) -> str:
    """A value as its file has it, a list with commas."""
    if isinstance(value, list):
        return ", ".join(map(_written, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _file(subject: str) -> str:
    return f"subq_toolkit/parameters/{subject}.toml"
