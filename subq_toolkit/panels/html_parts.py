"""Parts of a panel's pages: tables, sections, sources, marks. Text in, HTML out.

Whatever a person typed or a file held is escaped here, in one place: ``text``.
"""

import html
from collections.abc import Collection, Iterable, Sequence


def text(value: object) -> str:
    """A value as text that is never markup; empty for None."""
    return "" if value is None else html.escape(str(value))


def signed(number: float, digits: int = 0) -> str:
    """A difference with its sign: +1,234, −5, ±0."""
    told = f"{number:+,.{digits}f}".replace("-", "−")
    return told if any(digit in told for digit in "123456789") else "±0"


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    name: str,
    numeric: int,
    figures: Collection[int] = (),
) -> str:
    """A table of ready-made cells: column ``numeric`` stands out, ``figures`` are aligned too."""

    def look(column: int) -> str:
        if column == numeric:
            return ' class="sq-number"'
        return ' class="sq-figure"' if column in figures else ""

    cells = "".join(
        "<tr>" + "".join(f"<td{look(i)}>{cell}</td>" for i, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    head = "".join(f'<th scope="col"{look(i)}>{name}</th>' for i, name in enumerate(heads))
    return (
        f'<table class="sq-table" aria-label="{name}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{cells}</tbody></table>"
    )


def section(title: str, body: str, remark: str = "") -> str:
    """A part with its heading, and a remark beside that."""
    aside = f' <span class="sq-remark">{text(remark)}</span>' if remark else ""
    return f"<h3>{title}{aside}</h3>{body}"


def verdict_box(verdict: tuple[str, str, str, str], said: str, measure: str) -> str:
    """The answer in large type beside its verdict: ``(sign, word, meaning, look)``."""
    sign, word, means, look = verdict
    return (
        f'<div class="sq-headline sq-{look}" role="status" aria-live="polite">'
        f'<span class="sq-badge"><span aria-hidden="true">{sign}</span> {word}'
        f"<small>{means}</small></span>"
        f'<span class="sq-answer"><span class="sq-units">{text(said)}</span>'
        f'<span class="sq-measure">{text(measure)}</span></span></div>'
    )


def source(cite: str | None) -> str:
    """A source in small type behind a disclosure, so that reasons stay readable."""
    if not cite:
        return ""
    return f'<details class="sq-source"><summary>source</summary>{text(cite)}</details>'


def entry_marks(problems: dict[str, str], labels: dict[str, str]) -> str:
    """What to type instead, entry by entry, beneath a row."""
    items = "".join(
        f"<li><b>▲ {text(labels.get(name, name))}:</b> {text(problem)}</li>"
        for name, problem in problems.items()
    )
    return f'<ul class="sq-marks" role="alert">{items}</ul>' if items else ""


def note(said: str) -> str:
    """What stands in the way of an answer; empty for nothing."""
    return f'<p class="sq-note"><b>▲ Look:</b> {text(said)}</p>' if said else ""
