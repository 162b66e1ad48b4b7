"""How a published table is described: which columns are figures, and what supports them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Row = dict[str, str]


@dataclass(frozen=True)
class Figure:
    """A column of figures.

    Attributes
    ----------
    column
        Its name in the file.
    words
        What it is, as text or by the row.
    unit
        As text or by the row; None for an indicator, which is no quantity.
    support
        Key of its source, and its standing, where they are not the row's.
    """

    column: str
    words: str | Callable[[Row], str]
    unit: str | Callable[[Row], str] | None
    support: Callable[[Row], tuple[str | None, str]] | None = None


@dataclass(frozen=True)
class Published:
    """A table: its subject, the columns that name a row and those that describe it.

    ``told`` is how a column stands in the label; ``silent`` are words and flags that are no
    figures; ``note`` is said of each row.
    """

    subject: str
    keys: tuple[str, ...]
    figures: tuple[Figure, ...]
    told: Mapping[str, str] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    note: str = ""


def as_is(*columns: str) -> dict[str, str]:
    """Columns that stand in a label without further words."""
    return dict.fromkeys(columns, "{}")


def own_unit(row: Row) -> str:
    """The unit that the row states itself."""
    return {"ml_per_h": "mL/h", "ml_per_h_per_site": "mL/h/site", "ml": "mL"}.get(
        row["unit"], row["unit"]
    )


def by(key: str | None, standing: str) -> Callable[[Row], tuple[str | None, str]]:
    """A source and standing that are the same for every row."""
    return lambda _: (key, standing)
