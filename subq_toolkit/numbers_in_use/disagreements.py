"""Where sources disagree: the questions of the policy, and values published side by side."""

from collections.abc import Iterator

import polars as pl

from subq_toolkit.conversion import iv_to_sc_drugs, iv_to_sc_presets
from subq_toolkit.effective import read_table
from subq_toolkit.numbers_in_use.limit_disagreements import limit_disagreements
from subq_toolkit.policy import CHOICES, policy_choices, policy_preset
from subq_toolkit.product_tables import insulin_basal_presets

#: The preset whose minutes stand for every number of minutes that may be bridged.
_BRIDGED = "bag_changes_count"
_ROWS = {
    "subject": pl.String,
    "choice": pl.String,
    "question": pl.String,
    "answer": pl.String,
    "says": pl.String,
    "standing": pl.String,
    "cite": pl.String,
    "is_used": pl.Boolean,
}


def contradictions() -> pl.DataFrame:
    """List where sources disagree, and which answer is the one in use.

    Published limits are held against each other where one infusion could fall under both: the
    same product and use, number of the infusion, weight and age; only the market may differ, and
    is told. They disagree where two sources give different values.

    Returns
    -------
    pl.DataFrame
        ``subject``; ``choice`` (the field of ``Policy``; with ``answer`` it is the key of
        ``policy_effects``, where one number of bridged minutes stands for all; null for
        published values); ``question, answer, says`` (what the
        answer means, or what a reader of the value must know), ``standing, cite``; ``is_used``:
        the default of a policy, or the limit that binds in the United States as
        ``published_limits`` decides it. No ratio of doses and no share of insulin is taken by
        default, so none of these is used.
    """
    rows = [*_policies(), *limit_disagreements(), *_ratios(), *_insulin()]
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _policies() -> Iterator[tuple]:
    bridge, example = read_table("policies")["bridge"], policy_preset(_BRIDGED).bridge_pauses_min
    for row in policy_choices().rows(named=True):
        choice, answer, means = row["choice"], row["answer"], row["means"]
        known = CHOICES.get(choice)
        standing = known["answers"][answer]["standing"] if known else bridge["standing"]
        if not known and not row["is_default"]:
            means = f"{means} Any number ({answer}) may be stated; {example} stands for them all."
            answer = str(example)
        said = (row["question"], answer, means, standing, row["cite"], row["is_default"])
        yield ("policies", choice, *said)


def _ratios() -> Iterator[tuple]:
    for drug in iv_to_sc_drugs():
        presets = iv_to_sc_presets(drug)
        question = f"{drug.capitalize()}: subcutaneous over intravenous dose?"
        yield from _side_by_side("IV to SC ratios", question, "ratio", presets)


def _insulin() -> Iterator[tuple]:
    question = "Insulin pump: basal share of the reduced total?"
    presets = insulin_basal_presets()
    yield from _side_by_side("insulin shares", question, "basal_fraction", presets)


def _side_by_side(
    subject: str, question: str, column: str, presets: pl.DataFrame
) -> Iterator[tuple]:
    """Published values of which none is taken by default, if they differ."""
    if presets[column].n_unique() < 2:
        return
    for row in presets.sort(column, "preset").rows(named=True):
        told = [row["preset"].replace("_", " "), row.get("kind"), row.get("market"), _spread(row)]
        says = "; ".join(one for one in (*told, row["note"]) if one)
        said = (question, f"{row[column]:g}", says, row["standing"], row["cite"])
        yield (subject, None, *said, False)


def _spread(row: dict) -> str | None:
    low, high = row.get("ratio_low"), row.get("ratio_high")
    return f"{low:g} to {high:g}" if low is not None and low < high else None
