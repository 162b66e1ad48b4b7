"""A page for a browser that fetches nothing: picture, live chart, numbers and sources."""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

import vl_convert as vlc

from subq_toolkit.publish.columns import head_of, is_number
from subq_toolkit.publish.drawings import svg
from subq_toolkit.publish.pages import Page

#: Puts each live chart in the place of its picture; the picture stays where that fails.
_START = """
for (const held of document.querySelectorAll('script[type="application/json"]')) {
  const live = document.getElementById(held.dataset.chart);
  const options = {actions: false, renderer: 'svg', ast: true};
  vegaEmbed(live, JSON.parse(held.textContent), options)
    .then(() => { live.previousElementSibling.classList.add('replaced'); })
    .catch(() => { live.remove(); });
}
"""
_MOST_OPEN_ROWS = 40


def web_page(pages: Sequence[Page], title: str) -> str:
    """One page with every figure; scripts, styles and pictures are all inside it."""
    code = (_bundle(), _START)
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in code)
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        f"base-uri 'none'; form-action 'none'"
    )
    figures = "".join(_figure(page, at, len(pages)) for at, page in enumerate(pages, start=1))
    heading = f"<h1>{_text(title)}</h1>" if len(pages) > 1 else ""
    scripts = "".join(f"<script>{script}</script>" for script in code)
    return _framed(title, f"<main>{heading}{figures}</main>{scripts}", policy)


def plain_page(body: str, title: str) -> str:
    """A page of our look around ready-made HTML, without any script."""
    main = f'<main class="fit">{body}</main>'
    return _framed(title, main, "default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def under(lines: Sequence[str], sources: Sequence[str]) -> str:
    """What stands beneath a picture or a table: caption, notes and sources."""
    said = "".join(f"<p>{_text(line)}</p>" for line in lines)
    cited = "".join(f"<li>{_text(line)}</li>" for line in sources)
    return said + (f"<p>Sources</p><ul>{cited}</ul>" if cited else "")


def _framed(title: str, body: str, policy: str) -> str:
    css = files("subq_toolkit.publish").joinpath("web_page.css").read_text("utf-8")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_text(policy)}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="subq_toolkit">\n'
        f"<title>{_text(title)}</title>\n<style>{css}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )


def _figure(page: Page, at: int, of: int) -> str:
    bare = replace(page, spec=page.bare)
    picture = base64.b64encode(svg(bare, cited=False).encode("utf-8")).decode("ascii")
    level = "h2" if of > 1 else "h1"
    held = json.dumps(bare.spec, ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<section aria-labelledby="title-{at}"><{level} id="title-{at}">{_text(page.title)}'
        f"</{level}><figure>"
        f'<img class="still" alt="{_text(page.alt)}" src="data:image/svg+xml;base64,{picture}">'
        f'<div class="live" id="chart-{at}"></div>'
        f'<script type="application/json" data-chart="chart-{at}">{held}</script>'
        f"<figcaption>{under(page.under, page.sources)}</figcaption></figure>"
        f"{numbers(page)}</section>"
    )


def numbers(page: Page) -> str:
    """The numbers of a page as a table to be opened."""
    table = page.table
    if table.is_empty():
        return ""
    right = {name: ' class="number"' * is_number(table.schema[name]) for name in table.columns}
    heads = "".join(
        f'<th scope="col"{right[name]}>{_text(head_of(name))}</th>' for name in table.columns
    )
    marked = any(page.withheld)
    rows = "".join(f"<tr>{_cells(page, row, right, marked)}</tr>" for row in range(table.height))
    heads += '<th scope="col">Remark</th>' * marked
    opened = " open" * (table.height <= _MOST_OPEN_ROWS)
    return (
        f"<details{opened}><summary>The numbers</summary><table><caption>{_text(page.title)}"
        f"</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></details>"
    )


def _cells(page: Page, row: int, right: dict[str, str], marked: bool) -> str:
    cells = page.cells(row)
    told = "".join(f"<td{right.get(name, '')}>{_text(cell)}</td>" for name, cell in cells)
    return told + "<td></td>" * (marked and not page.withheld[row])


def _text(text: object) -> str:
    return html.escape(str(text))


@cache
def _bundle() -> str:
    """The scripts that draw a live chart; none of their text can end the element they stand in."""
    return vlc.javascript_bundle().replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
