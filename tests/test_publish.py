"""Every published file is opened again and read as its reader would."""

import hashlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from datetime import date, datetime
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

import subq_toolkit as sq

for needed in ("pptx", "pypdf", "xlsxwriter", "fastexcel", "great_tables"):
    pytest.importorskip(needed, reason="the report extra is not installed")
panels = pytest.importorskip("subq_toolkit.panels", reason="the notebook extra is not installed")

import pptx  # noqa: E402
import pypdf  # noqa: E402
from PIL import Image  # noqa: E402

from subq_toolkit import charts  # noqa: E402
from subq_toolkit.charts.figure import CountedCells, Figure  # noqa: E402
from subq_toolkit.charts.figure import figure as chart_figure  # noqa: E402
from subq_toolkit.charts.steps_nearly_reached import (  # noqa: E402
    CELLS,
    steps_nearly_reached_spec,
    steps_nearly_reached_table,
)
from subq_toolkit.made_by import parameters_mark  # noqa: E402
from subq_toolkit.publish import publish, publish_table, table_html  # noqa: E402

ENDINGS = (".png", ".svg", ".pdf", ".html", ".pptx", ".xlsx")
WITHHELD = "Counts below 11, and those that would give them away, are withheld."
SOURCE = "A manual, chapter 12, https://example.org/manual [sourced]"
CAPTION = "90 of 100 encounters coded · Nov 2024 to Oct 2026 · invented · rules of 2024 to 2026"
NASTY = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "<script>alert(1)</script>", "</script><b>",
    "a & b \"c\" 'd'", "]]>", "\x00\x07nul\x1f", "{x} %s", "long " * 60, "東京 Ωμέγα עברית",
)  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"


def near(*rows):
    """Rows of (step, below, above) as near_steps gives them."""
    return pl.DataFrame(rows, schema=["step_min", "below", "above"], orient="row")


def near_figure(*rows, caption=CAPTION, encounters=100, sources=(SOURCE,)):
    table = steps_nearly_reached_table(near(*rows), caption=caption)
    return Figure("near_steps", table, steps_nearly_reached_spec, CELLS, encounters, sources)


@pytest.fixture
def figure():
    """Of 7 below a step 20 are hidden too; above, nothing is small."""
    return near_figure((16, 40, 50), (91, 20, 30), (151, 7, 25))


def spec_of(table, title="A title", **more):
    rows = [{"a": str(row[0]), "b": 1} for row in table.rows()] or [{"a": "none", "b": 0}]
    axes = {"x": {"field": "b", "type": "quantitative"}, "y": {"field": "a", "type": "nominal"}}
    return {"data": {"values": rows}, "mark": "bar", "encoding": axes, "title": title} | more


def typed_table():
    return pl.DataFrame(
        {
            "payer": ["A", "=B()"],
            "first_date": [date(2026, 3, 2), date(2026, 4, 1)],
            "start_at": [datetime(2026, 3, 2, 9, 30), None],
            "encounters": [120, 45],
            "share": [0.727, 0.273],
            "expected_usd": [1234.5, -10.0],
            "infusion_min": [90, 151],
            "rate_ml_per_h": [12.25, 30.0],
            "capped": [True, False],
            "nothing": [None, None],
        }
    )


def typed_figure(**changes):
    return Figure("typed: [a/b]*?", typed_table(), spec_of, sources=(SOURCE,), **changes)


def sheets(path):
    """The XML of each part of a workbook that holds cells or texts."""
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name).decode() for name in book.namelist() if name[-4:] == ".xml"}


def notes_of(slide):
    return slide.notes_slide.notes_text_frame.text


def texts_of(slide):
    return [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]


class Read(HTMLParser):
    """Elements, their attributes and the visible text of a page."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.text, self._within = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._within.append(tag)

    def handle_endtag(self, tag):
        if self._within and tag == self._within[-1]:
            self._within.pop()

    def handle_data(self, data):
        if not self._within:
            self.text += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


# ---- slides --------------------------------------------------------------------------------


def test_a_slide_has_title_picture_caption_number_and_notes(figure, tmp_path):
    path = publish(figure, tmp_path / "deck.pptx")
    deck = pptx.Presentation(path)
    assert (deck.slide_width.inches, deck.slide_height.inches) == (pytest.approx(13.333), 7.5)
    (slide,) = deck.slides
    assert slide.shapes.title.is_placeholder
    title = "40 encounters end within 5 min below the step at 16 min, 50 above it"
    assert slide.shapes.title.text_frame.text == title.replace(" min", "\u00a0min")
    (picture,) = [shape for shape in slide.shapes if shape.shape_type == 13]
    alt = picture._element.nvPicPr.cNvPr.get("descr")
    assert "step at 16 min: 40 below and 50 above" in alt
    assert "step at 151 min: a withheld number below and 25 above" in alt
    assert picture.left >= 0
    assert picture.left + picture.width <= deck.slide_width
    assert picture.top >= slide.shapes.title.top + slide.shapes.title.height
    assert picture.top + picture.height <= deck.slide_height
    assert picture.image.size[0] >= 3 * 460
    caption = next(shape for shape in slide.shapes if shape.name == "Caption")
    for part in ("never to extend an infusion", WITHHELD, "90 of 100 encounters coded",
                 "Nov 2024 to Oct 2026", "invented", "rules of 2024 to 2026", SOURCE):  # fmt: skip
        assert part in caption.text_frame.text
    assert caption.left >= picture.left + picture.width
    assert caption.left + caption.width <= deck.slide_width
    assert 'type="slidenum"' in slide.part.blob.decode()
    notes = notes_of(slide)
    assert notes.startswith(title)
    assert "Kind: step; Step [min]: 16; Below: 40; Above: 50" in notes
    assert WITHHELD in notes
    assert SOURCE in notes
    assert "Below: 7" not in notes
    assert "Below: 20" not in notes


def test_a_deck_opens_with_a_title_only_if_it_is_given_one(figure, tmp_path):
    plain = pptx.Presentation(publish([figure, figure], tmp_path / "a.pptx"))
    titled = pptx.Presentation(publish([figure, figure], tmp_path / "b.pptx", title="Our <review>"))
    assert [len(deck.slides) for deck in (plain, titled)] == [2, 3]
    assert titled.slides[0].shapes.title.text_frame.text == "Our <review>"
    assert titled.core_properties.title == "Our <review>"
    assert [layout.name for layout in titled.slide_layouts] == ["Title Slide", "Title Only"]
    colours = titled.slide_master.part.rels.values()
    theme = next(rel.target_part.blob.decode() for rel in colours if "theme" in rel.reltype)
    assert "0072B2" in theme
    assert 'typeface="Arial"' in theme


def test_a_picture_on_a_slide_does_not_say_its_title_again(figure, tmp_path):
    deck = pptx.Presentation(publish(figure, tmp_path / "deck.pptx"))
    (picture,) = [shape for shape in deck.slides[0].shapes if shape.shape_type == 13]
    drawn = Image.open(BytesIO(picture.image.blob)).size[1]
    whole = Image.open(publish(figure, tmp_path / "whole.png", scale="print")).size[1]
    assert drawn < whole - 4 * 60


def test_long_titles_shrink_and_the_whole_one_is_in_the_notes(tmp_path):
    sizes = {}
    for words in (4, 20, 200):
        title = "word " * words
        made = Figure("long", typed_table(), lambda table, title=title: spec_of(table, title))
        slide = pptx.Presentation(publish(made, tmp_path / "long.pptx")).slides[0]
        said = slide.shapes.title.text_frame
        sizes[words] = said.paragraphs[0].runs[0].font.size.pt
        if words == 200:
            assert said.text.endswith("…")
            assert f"the whole title: {title.strip()}\n" in notes_of(slide)
        else:
            assert said.text == title.strip()
    assert sizes[4] == 28
    assert sizes[20] == 28
    assert sizes[200] == 20


def test_captions_hold_no_more_than_their_box_and_notes_hold_all(tmp_path):
    sources = tuple(f"Source number {at} {'x' * 400}" for at in range(9))
    long = near_figure((16, 40, 50), caption="encounters · " + "where from " * 90, sources=sources)
    slide = pptx.Presentation(publish(long, tmp_path / "deck.pptx")).slides[0]
    caption = next(shape for shape in slide.shapes if shape.name == "Caption")
    lines = 0.0
    for paragraph in caption.text_frame.paragraphs:
        size = paragraph.runs[0].font.size.pt
        per_line = caption.width.inches * 72 / (0.5 * size)
        lines += 1.2 * size * max(1, len(paragraph.text) / per_line) + 5
    assert lines <= caption.height.inches * 72 * 1.1
    assert all(one in notes_of(slide) for one in sources)


def test_the_numbers_in_notes_are_capped_and_it_is_said(tmp_path):
    table = pl.DataFrame({"name": [f"row {at}" for at in range(100)], "value_min": range(100)})
    made = Figure("many", table, lambda _table: spec_of(table.head(3)))
    notes = notes_of(pptx.Presentation(publish(made, tmp_path / "many.pptx")).slides[0])
    assert "Name: row 39; Value [min]: 39" in notes
    assert "row 40" not in notes
    assert "60 more rows are not listed here." in notes


# ---- workbooks ----------------------------------------------------------------------------


def test_a_workbook_has_summary_numbers_and_sources(figure, tmp_path):
    path = publish(figure, tmp_path / "book.xlsx")
    parts = sheets(path)
    names = re.findall(r'<sheet name="([^"]+)"', parts["xl/workbook.xml"])
    assert names == ["Summary", "Data", "Sources"]
    summary = pl.read_excel(path, sheet_name="Summary", has_header=False)[:, 0].to_list()
    assert summary[0] == "40 encounters end within 5 min below the step at 16 min, 50 above it"
    assert WITHHELD in summary
    assert CAPTION in summary
    assert any(line and line.startswith("In words: 40 encounters") for line in summary)
    assert 'descr="40 encounters end' in parts["xl/drawings/drawing1.xml"]
    data = pl.read_excel(path, sheet_name="Data")
    assert data.columns == ["Kind", "Step [min]", "Below", "Above", "Within [min]", "Remark"]
    assert data["Below"].to_list() == [40, None, None]
    assert data["Above"].to_list() == [50, 30, 25]
    assert data["Remark"].to_list() == [None, "count withheld", "count withheld"]
    sources = pl.read_excel(path, sheet_name="Sources")
    assert sources["Source"].to_list() == [SOURCE]


def test_columns_are_typed_and_formatted(tmp_path):
    path = publish(typed_figure(), tmp_path / "book.xlsx")
    data = pl.read_excel(path, sheet_name="Data")
    assert data.columns == [
        "Payer", "First date", "Start at", "Encounters", "Share [%]", "Expected [USD]",
        "Infusion [min]", "Rate [mL/h]", "Capped",
    ]  # fmt: skip
    assert data["First date"].to_list() == [date(2026, 3, 2), date(2026, 4, 1)]
    assert data["Start at"].to_list() == [datetime(2026, 3, 2, 9, 30), None]
    assert data["Share [%]"].to_list() == [0.727, 0.273]
    assert data["Expected [USD]"].to_list() == [1234.5, -10.0]
    assert data["Capped"].to_list() == [True, False]
    assert data["Payer"].to_list() == ["A", "=B()"]
    parts = sheets(path)
    sheet, styles = parts["xl/worksheets/sheet2.xml"], parts["xl/styles.xml"]
    assert 'state="frozen"' in sheet
    assert '<autoFilter ref="A1:I3"/>' in sheet
    for number_format in ("yyyy-mm-dd", "0.0%", "$#,##0.00;-$#,##0.00", "#,##0.00##"):
        assert f'formatCode="{number_format}"' in styles


def test_no_text_becomes_a_formula_or_a_link(tmp_path):
    table = pl.DataFrame({"=name": list(NASTY), "http://x.example": ["http://x.example"] * 14})
    made = Figure("=cmd|'/c calc'!A0", table, spec_of, sources=("=2+2", "http://x.example/a"))
    path = publish([made, made], tmp_path / "book.xlsx", title="=HYPERLINK(1)")
    parts = sheets(path)
    for name, xml in parts.items():
        tree = ElementTree.fromstring(xml)
        assert not [one for one in tree.iter() if one.tag.split("}")[1] in ("f", "hyperlink")], name
    with zipfile.ZipFile(path) as book:
        links = [book.read(one).decode() for one in book.namelist() if one.endswith(".rels")]
    assert not any("TargetMode" in link for link in links)
    names = re.findall(r'<sheet name="([^"]+)"', parts["xl/workbook.xml"])
    assert names[1:3] == ["1 cmd c calc A0", "2 cmd c calc A0"]
    data = pl.read_excel(path, sheet_name=names[1])
    assert data["=name"].to_list()[:4] == ["=1+1", "+1", "-1", "@SUM(A1)"]
    assert pl.read_excel(path, sheet_name="Sources")["Source"][0] == "=2+2"


@pytest.mark.parametrize("name", ["History", "summary", "", "'x'", "a" * 80, "[]:*?/\\", "x\0y"])
def test_sheets_have_names_that_excel_takes(tmp_path, name):
    made = Figure(name, typed_table(), spec_of)
    path = publish([made, made], tmp_path / "book.xlsx")
    names = re.findall(r'<sheet name="([^"]+)"', sheets(path)["xl/workbook.xml"])
    assert len({one.lower() for one in names}) == 4
    for one in names:
        assert 0 < len(one) <= 31
        assert not set(one) & set("[]:*?/\\")
        assert one.strip("'") == one


# ---- pictures -----------------------------------------------------------------------------


@pytest.mark.parametrize(("scale", "dots", "dpi"), [(None, 2, 192), ("screen", 2, 192),
                                                    ("print", 4, 300)])  # fmt: skip
def test_a_png_knows_its_size_and_what_it_says(figure, tmp_path, scale, dots, dpi):
    picture = Image.open(publish(figure, tmp_path / "a.png", scale=scale))
    assert picture.size[0] == 460 * dots
    assert picture.info["dpi"] == (pytest.approx(dpi, abs=0.1), pytest.approx(dpi, abs=0.1))
    assert picture.text["Title"].startswith("40 encounters end within 5 min")
    assert "step at 91 min: a withheld number below" in picture.text["Description"]
    assert picture.text["Source"] == SOURCE
    picture.load()


def test_an_svg_is_named_described_and_holds_nothing_live(figure, tmp_path):
    text = publish(figure, tmp_path / "a.svg").read_text("utf-8")
    root = ElementTree.fromstring(text)
    title, desc = root[0], root[1]
    assert (title.tag, desc.tag) == (f"{SVG}title", f"{SVG}desc")
    assert title.text.startswith("40 encounters end within 5 min")
    assert "90 of 100 encounters coded" in desc.text
    assert SOURCE in desc.text
    assert root.get("role") == "img"
    assert root.get("aria-labelledby").split() == [title.get("id"), desc.get("id")]
    assert not list(root.iter(f"{SVG}script"))
    assert WITHHELD in "".join(root.itertext())


def test_a_picture_that_goes_on_its_own_shows_its_sources(tmp_path):
    sources = tuple(f"Manual {at}, {'on the coding of infusions ' * 9}".strip() for at in range(5))
    made = near_figure((16, 40, 50), sources=sources)
    root = ElementTree.fromstring(publish(made, tmp_path / "a.svg").read_text("utf-8"))
    shown = [one.text for one in root.findall(f"{SVG}text")]
    assert shown[0].startswith("Source: Manual 0, on the coding of infusions")
    assert len(shown) == 3 * 3 + 1
    assert shown[-1] == "2 more sources in the properties of this file."
    height, box = float(root.get("height")), root.get("viewBox").split()
    assert float(box[3]) == height == float(root.find(f"{SVG}rect").get("height"))
    lowest = max(float(one.get("y")) for one in root.findall(f"{SVG}text"))
    assert lowest < height
    picture = Image.open(publish(made, tmp_path / "a.png"))
    assert picture.size == (920, round(2 * height))
    assert picture.text["Source"] == " ".join(sources)
    assert (
        "Source: Manual 0"
        in pypdf.PdfReader(publish(made, tmp_path / "a.pdf")).pages[0].extract_text()
    )


def test_links_and_foreign_pictures_do_not_reach_an_svg(tmp_path):
    rows = [{"a": "http://x.example/p.png"}]
    mark = {"type": "image", "width": 20, "height": 20}
    code = {"url": {"field": "a", "type": "nominal"}, "href": {"field": "a", "type": "nominal"}}
    spec = {"data": {"values": rows}, "mark": mark, "encoding": code, "width": 50, "height": 50}
    root = ElementTree.fromstring(publish(spec, tmp_path / "a.svg").read_text("utf-8"))
    assert not [key for one in root.iter() for key in one.attrib if key.endswith("href")]


def test_a_pdf_has_a_page_each_and_says_what_it_is(figure, tmp_path):
    read = pypdf.PdfReader(publish([figure, typed_figure()], tmp_path / "a.pdf", title="Two <&>"))
    assert len(read.pages) == 2
    text = read.pages[0].extract_text()
    assert "40 encounters end within" in text
    assert WITHHELD in " ".join(text.split())
    assert read.metadata.title == "Two <&>"
    assert "step at 91 min: a withheld number below" in read.metadata.subject
    assert SOURCE in read.metadata["/Keywords"]
    assert [one.title for one in read.outline][1] == "A title"
    alone = pypdf.PdfReader(publish(figure, tmp_path / "b.pdf"))
    assert alone.metadata.title.startswith("40 encounters end within 5 min")


def test_several_pictures_become_several_files(figure, tmp_path):
    paths = publish([figure, typed_figure()], tmp_path / "pic.png")
    assert [path.name for path in paths] == ["pic-1-near_steps.png", "pic-2-typed_a_b.png"]
    assert all(Image.open(path).format == "PNG" for path in paths)
    assert sorted(tmp_path.iterdir()) == paths


# ---- web pages ----------------------------------------------------------------------------


def test_a_web_page_holds_all_it_needs(figure, tmp_path):
    html = publish([figure, typed_figure()], tmp_path / "a.html", title="Two").read_text("utf-8")
    page = Read(html)
    for tag in ("link", "iframe", "object", "embed", "base"):
        assert not page.all(tag)
    assert not any("src" in one for one in page.all("script"))
    assert all(one["src"].startswith("data:image/svg+xml;base64,") for one in page.all("img"))
    assert "url(" not in html.split("</style>")[0]
    assert "step at 151 min: a withheld number below" in page.all("img")[0]["alt"]
    assert page.all("html")[0]["lang"] == "en"
    policy = next(one["content"] for one in page.all("meta") if "http-equiv" in one)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    for part in ("Two", WITHHELD, CAPTION, SOURCE, "Step [min]", "count withheld", "A title"):
        assert part in page.text
    assert html.count("vegaEmbed=") == 1
    assert len([one for one in page.all("script") if "data-chart" in one]) == 2


def test_text_from_data_is_never_markup_on_a_web_page(tmp_path):
    table = pl.DataFrame({"<b>name</b>": list(NASTY)})
    made = Figure("<i>", table, lambda frame: spec_of(frame, "</title><script>alert(1)</script>"),
                  sources=NASTY)  # fmt: skip
    html = publish(made, tmp_path / "a.html", title="</title><script>x").read_text("utf-8")
    page = Read(html)
    assert not page.all("b")
    assert not page.all("i")
    assert len(page.all("script")) == 3  # the bundle, the start, one chart
    assert "<script>alert(1)</script>" in page.text
    assert not set(html) & {chr(code) for code in (*range(9), 11, 12, *range(14, 32))}


def chromium():
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if chromium() is None:
        pytest.skip("no Chromium found on the path; install one to try pages in a browser")
    with api.sync_playwright() as play:
        quiet = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
        opened = play.chromium.launch(executable_path=chromium(), args=list(quiet))
        yield opened
        opened.close()


def test_a_web_page_draws_in_a_browser_and_asks_for_nothing(figure, tmp_path, browser):
    path = publish([figure, typed_figure()], tmp_path / "a.html")
    page = browser.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.goto(path.as_uri())
    page.locator(".live svg").nth(1).wait_for()
    assert {url for url in asked if not url.startswith("data:")} == {path.as_uri()}
    assert not said
    assert page.locator("img.still:visible").count() == 0
    page.emulate_media(media="print")
    assert page.locator("img.still:visible").count() == 2
    page.close()


def test_a_web_page_without_scripts_shows_the_picture(figure, tmp_path, browser):
    page = browser.new_page(java_script_enabled=False)
    page.goto(publish(figure, tmp_path / "a.html").as_uri())
    assert page.locator("img.still").bounding_box()["height"] > 200
    page.close()


# ---- small cells --------------------------------------------------------------------------


def test_every_kind_of_file_withholds_the_same(figure, tmp_path):
    """Of 40, 20, 7 below: 7 is small, and 20 would give it away."""
    book = pl.read_excel(publish(figure, tmp_path / "a.xlsx"), sheet_name="Data")
    assert book["Below"].to_list() == [40, None, None]
    notes = notes_of(pptx.Presentation(publish(figure, tmp_path / "a.pptx")).slides[0])
    page = Read(publish(figure, tmp_path / "a.html").read_text("utf-8"))
    svg = publish(figure, tmp_path / "a.svg").read_text("utf-8")
    png = Image.open(publish(figure, tmp_path / "a.png")).text["Description"]
    pdf = pypdf.PdfReader(publish(figure, tmp_path / "a.pdf")).metadata.subject
    for text in (notes, page.text, png, pdf, ElementTree.fromstring(svg)[1].text):
        assert WITHHELD in text
        assert "step at 91 min: a withheld number below and 30 above" in text or text in (
            notes, page.text)  # fmt: skip
        assert not re.search(r"\b(7|20) below", text)
    whole = publish(figure, tmp_path / "b.xlsx", small_cells="show")
    assert pl.read_excel(whole, sheet_name="Data")["Below"].to_list() == [40, 20, 7]
    assert WITHHELD not in pl.read_excel(whole, sheet_name="Summary", has_header=False)[:, 0]


def test_rows_of_words_are_not_among_the_numbers(tmp_path):
    # "b" and the group without a name are withheld: 20 with 3; that row stays, the words go.
    rows = pl.DataFrame(
        {
            "group": ["a", "b", None], "encounters": [50, 20, 3], "mean_min": [60.0, 70.0, 80.0],
            **dict.fromkeys(("p5_min", "p25_min", "median_min", "p75_min", "p95_min"), 60),
        }
    )  # fmt: skip
    table = charts.durations_by_group_table(rows, [(16, 1)], by="ward", caption=CAPTION)
    one = chart_figure("durations_by_group", table, encounters=100, sources=(SOURCE,))
    path = publish(one, tmp_path / "page.html")
    page = path.read_text("utf-8")
    numbers = page[page.index("<tbody>") : page.index("</tbody>")]
    kinds = re.findall(r"<tr><td>(\w+)</td>", numbers)
    assert kinds == ["group", "group", "group", "step"]
    assert numbers.count("count withheld") == 2
    assert "ward" not in numbers
    assert CAPTION not in numbers
    assert '<th scope="col">Says</th>' not in page


def test_overlapping_pictures_do_not_give_each_other_away(tmp_path):
    """One by payer, one by payer and month: 7 of payer C, and what would tell it, in both."""
    by_month = pl.DataFrame(
        {"payer": list("AABBCC"), "month": [1, 2] * 3, "encounters": [50, 60, 20, 14, 3, 4]}
    )
    by_payer = by_month.group_by("payer", maintain_order=True).agg(pl.col("encounters").sum())
    made = [
        Figure("by_payer", by_payer, spec_of, CountedCells("encounters"), 151),
        Figure("by_month", by_month, spec_of, CountedCells("encounters", ("payer",)), 151),
    ]
    path = publish(made, tmp_path / "a.xlsx")
    payer, month = (pl.read_excel(path, sheet_name=name) for name in ("1 by payer", "2 by month"))
    assert payer["Encounters"].to_list() == [110, None, None]
    assert month["Encounters"].to_list() == [50, 60, None, None, None, None]


@pytest.mark.parametrize("encounters", [1, 10])
def test_a_picture_of_few_encounters_is_refused_unless_it_is_asked_for(tmp_path, encounters):
    few = typed_figure(encounters=encounters)
    with pytest.raises(sq.InputError, match=r'fewer than 11 encounters.*say small_cells="show"'):
        publish(few, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
    assert publish(few, tmp_path / "a.png", small_cells="show").exists()


@pytest.mark.parametrize("encounters", [None, 0, 11])
def test_other_pictures_are_not(tmp_path, encounters):
    assert publish(typed_figure(encounters=encounters), tmp_path / "a.svg").exists()


def test_a_table_with_small_counts_asks_which_cells_they_are(tmp_path):
    table = pl.DataFrame({"payer": ["A", "B", "C"], "encounters": [90, 30, 4], "share": [1, 2, 3]})
    with pytest.raises(sq.InputError, match=r"'encounters' holds counts below 11.*cells=Counted"):
        publish_table(table, tmp_path / "a.html", title="By payer")
    cells = CountedCells("encounters", also=("share",))
    html = table_html(table, title="By payer", cells=cells)
    page = Read(html)
    assert WITHHELD in page.text
    assert re.findall(r"(?:[ABC]|90|—|count withheld)", page.text.split("Remark")[1])[:8] == [
        "A", "90", "B", "—", "—", "count withheld", "C", "—"]  # fmt: skip
    assert "30" not in page.text
    shown = table_html(table, title="By payer", small_cells="show")
    assert "30" in Read(shown).text
    path = publish_table(table, tmp_path / "a.xlsx", title="By payer", cells=cells)
    assert pl.read_excel(path, sheet_name="Data")["Encounters"].to_list() == [90, None, None]
    with pytest.raises(sq.InputError, match=r"'encounters' holds counts below 11.*Figure"):
        publish(spec_of(table, data={"values": table.to_dicts()}), tmp_path / "a.png")


def test_a_chart_without_a_figure_says_what_is_not_known(tmp_path):
    chart = charts.steps_nearly_reached(steps_nearly_reached_table(near((16, 40, 50))))
    for made in (chart, charts.show(chart), chart.to_dict(), spec_of(typed_table())):
        slide = pptx.Presentation(publish(made, tmp_path / "a.pptx")).slides[0]
        assert any("small counts were not sought" in text for text in texts_of(slide))
    bare = typed_figure()
    nowhere = Figure("x", bare.table, bare.draw)
    slide = pptx.Presentation(publish(nowhere, tmp_path / "b.pptx")).slides[0]
    assert any("No source is stated for these numbers." in text for text in texts_of(slide))


# ---- withheld counts on the chart of near steps --------------------------------------------


def drawn(*rows, **changes):
    return steps_nearly_reached_spec(steps_nearly_reached_table(near(*rows), **changes))


def test_near_steps_draw_a_star_for_a_withheld_count():
    spec = drawn((16, 40, None), (91, None, 30))
    rows = spec["data"]["values"]
    assert [row["x"] for row in rows if row["kind"] == "withheld"] == [0.19, 0.81]
    assert [row["y2"] for row in rows if row["kind"] in ("below", "above")] == [40, 30]
    assert spec["title"]["text"] == ["40 encounters end within 5 min below the step at 16 min"]
    assert "a withheld number below and 30 above" in spec["description"]
    assert "fewer than 11 encounters, or withheld with them" in spec["description"]
    assert "None" not in str(spec["description"])
    assert charts.picture(spec)


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        ([(16, None, None)], "How many encounters end within 5 min below a step is withheld"),
        ([(16, 0, 3), (91, None, 3)], "How many encounters end within 5 min below a step is"),
        ([(16, 0, None)], "No encounter ends within 5 min below a step"),
        ([(16, 12, 0)], "12 encounters end within 5 min below the step at 16 min, 0 above it"),
    ],
)
def test_near_steps_state_no_withheld_number(rows, title):
    spec = drawn(*rows)
    assert " ".join(spec["title"]["text"]).startswith(title)
    assert charts.picture(spec)


# ---- what every kind of file has in common --------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_equal_work_makes_equal_files(figure, tmp_path, ending):
    made = [publish(figure, tmp_path / f"{name}{ending}") for name in "ab" for _ in range(2)]
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in made}) == 1


WORST = (
    "=1+1",
    "</script><script>a & b \"c\" 'd' ]]>",
    "\x00\x07\x1f\t=1\r{x} %s",
    "東京 עברית" * 40,
)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("text", WORST)
def test_no_text_breaks_a_file(tmp_path, ending, text):
    def draw(frame):
        said = {"text": text, "subtitle": [text, "b"]}
        return spec_of(frame, said, description=text + "\ud800\ufffe")

    table = pl.DataFrame({text: [text, text], "n": [float("nan"), 1.0]})
    made = Figure(text, table, draw, sources=(text, text))
    path = publish(made, tmp_path / f"a{ending}", title=text)
    if ending == ".png":
        Image.open(path).load()
    elif ending == ".svg":
        assert not list(ElementTree.fromstring(path.read_text("utf-8")).iter(f"{SVG}script"))
    elif ending == ".pdf":
        assert len(pypdf.PdfReader(path).pages) == 1
    elif ending == ".html":
        assert len(Read(path.read_text("utf-8")).all("script")) == 3
    elif ending == ".pptx":
        assert len(pptx.Presentation(path).slides) == 2
    else:
        assert pl.read_excel(path, sheet_name="Data").height == 2


@pytest.mark.parametrize("ending", ENDINGS)
def test_versions_are_told_when_asked_for(figure, tmp_path, ending):
    publish(figure, tmp_path / f"a{ending}", versions=True)
    told = (
        f"Made with subq_toolkit .*, polars {pl.__version__}, altair .*; parameters [0-9a-f]{{12}}"
    )
    texts = {
        ".png": lambda path: Image.open(path).text["Description"],
        ".svg": lambda path: path.read_text("utf-8"),
        ".pdf": lambda path: pypdf.PdfReader(path).metadata.subject,
        ".html": lambda path: Read(path.read_text("utf-8")).text,
        ".pptx": lambda path: notes_of(pptx.Presentation(path).slides[0]),
        ".xlsx": lambda path: sheets(path)["xl/sharedStrings.xml"],
    }
    assert re.search(told, texts[ending](tmp_path / f"a{ending}"))
    publish(figure, tmp_path / f"b{ending}")
    assert not re.search(told, texts[ending](tmp_path / f"b{ending}"))


def test_packages_for_reports_are_loaded_when_they_are_needed():
    code = (
        "import sys, subq_toolkit.publish; "
        "print([name for name in ('pptx', 'pypdf', 'xlsxwriter', 'great_tables', 'playwright') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_mark_of_the_parameters_is_theirs():
    whole = hashlib.sha256()
    for path in sorted((Path(sq.__file__).parent / "parameters").glob("*.toml")):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    assert parameters_mark() == whole.hexdigest()[:12]


def test_a_file_that_is_there_is_replaced_and_nothing_else_is_left(figure, tmp_path):
    path = tmp_path / "a.SVG"
    path.write_text("old")
    assert publish(figure, str(path)) == path
    assert path.read_text("utf-8").startswith("<svg")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_replaced_stays_whole(figure, tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_text("old")

    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(sq.InputError, match=r"cannot be written \(Permission denied\). Close it"):
        publish(figure, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.gif", r"'a.gif' has no ending.*\.png, \.svg, \.pdf, \.html, \.pptx, \.xlsx"),
        ("a", "has no ending that says what to write"),
        ("nowhere/a.png", "There is no folder '.*nowhere'. Create it"),
        ("folder.png", "is a folder. Give the file a name of its own"),
        ("\0.png", "There is no folder|cannot be written"),
        (f"{'x' * 300}.png", "cannot be written"),
    ],
)
def test_places_that_cannot_be_written_are_refused(figure, tmp_path, name, message):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(sq.InputError, match=message):
        publish(figure, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("text", "A str is nothing that can be published. Hand in a Figure"),
        (7, "A int is nothing that can be published"),
        (pl.DataFrame({"a": [1]}), "for a table use publish_table"),
        ([], "There is no chart to publish"),
        ({"a": 1}, "no Vega-Lite specification"),
        ({"$schema": "https://vega.github.io/schema/vega/v6.json", "marks": []}, "no Vega-Lite"),
        ({"mark": "bar", "data": {"url": "http://x.example/a.csv"}}, "names an address to load"),
        ({"mark": {"type": "bar", "href": "javascript:1"}}, "names an address to load"),
        ({"mark": "nonsense", "data": {"values": []}}, "cannot be drawn. Vega-Lite says"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, what, message):
    with pytest.raises(sq.InputError, match=message):
        publish(what, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"small_cells": "hide"}, "small_cells is 'hide'; it can be 'withhold' or 'show'"),
        ({"scale": "huge"}, "scale is 'huge'; for a .png it can be 'screen' or 'print'"),
    ],
)
def test_choices_that_there_are_not(figure, tmp_path, choice, message):
    with pytest.raises(sq.InputError, match=message):
        publish(figure, tmp_path / "a.png", **choice)
    with pytest.raises(sq.InputError, match=message):
        publish_table(near((16, 40, 50)), tmp_path / "a.png", title="x", **choice)


def test_a_scale_is_for_pictures(figure, tmp_path):
    with pytest.raises(sq.InputError, match="for other kinds of files leave it out"):
        publish(figure, tmp_path / "a.pdf", scale="print")
    with pytest.raises(sq.InputError, match="path is the name of a file; this is a NoneType"):
        publish(figure, None)


@pytest.mark.parametrize(
    ("ending", "package"), [(".pptx", "pptx"), (".pdf", "pypdf"), (".xlsx", "xlsxwriter")]
)
def test_a_missing_package_is_named_with_its_remedy(figure, tmp_path, monkeypatch, ending, package):
    def missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("subq_toolkit.publish.files.import_module", missing)
    with pytest.raises(
        sq.InputError, match=rf"'{package}'.*pip install \"subq_toolkit\[report\]\""
    ):
        publish(figure, tmp_path / f"a{ending}")


# ---- tables -------------------------------------------------------------------------------


def test_a_table_has_units_dashes_and_nothing_live(tmp_path):
    said = {"title": "Amounts <b>", "subtitle": "By payer", "caption": CAPTION}
    html = table_html(typed_table(), **said, sources=[SOURCE])
    page = Read(html)
    assert not page.all("script")
    assert not page.all("link")
    assert not page.all("b")
    for part in ("Amounts <b>", "By payer", CAPTION, SOURCE, "Expected [USD]", "Rate [mL/h]",
                 "$1,234.50", "−$10.00", "72.7 %", "2026-03-02", "=B()", "—"):  # fmt: skip
        assert part in page.text
    right = [attrs for tag, attrs in page.elements if tag == "td" and "gt_right" in attrs["class"]]
    assert len(right) == 2 * 5
    assert publish_table(typed_table(), tmp_path / "a.html", **said).read_text("utf-8") == (
        table_html(typed_table(), **said)
    )


@pytest.mark.parametrize("text", NASTY)
def test_no_text_breaks_a_table(text):
    page = Read(table_html(pl.DataFrame({text or "x": [text]}), title=text or "x", sources=[text]))
    assert not page.all("script")
    assert not page.all("b")


def test_a_table_without_rows_or_title():
    assert "Nothing" in Read(table_html(pl.DataFrame({"a": []}), title="Nothing")).text
    with pytest.raises(sq.InputError, match="is a polars DataFrame, and has a title"):
        table_html(typed_table(), title=" ")
    with pytest.raises(sq.InputError, match="is a polars DataFrame, and has a title"):
        table_html([1, 2], title="x")


def test_a_picture_of_a_table_is_drawn_where_there_is_a_browser(tmp_path):
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if chromium() is None:
        pytest.skip("no Chromium found on the path; install one to draw tables in a browser")
    path = publish_table(typed_table(), tmp_path / "a.png", title="Amounts", sources=[SOURCE])
    picture = Image.open(path)
    assert picture.size[0] > 600
    assert picture.text["Title"] == "Amounts"
    assert picture.info["dpi"][0] == pytest.approx(192, abs=0.1)


def test_a_picture_of_a_table_needs_a_browser_and_says_so(tmp_path, monkeypatch):
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    monkeypatch.setattr("subq_toolkit.publish.tables.shutil.which", lambda _name: "/nowhere/chrome")
    with pytest.raises(sq.InputError, match=r"no Chromium could be started. Write it as .html"):
        publish_table(typed_table(), tmp_path / "a.png", title="Amounts")


# ---- panels -------------------------------------------------------------------------------


def test_the_calculator_is_of_one_encounter(tmp_path):
    panel = panels.CodingCalculator()
    assert [one.name for one in panel.figures()] == ["timeline", "staircase"]
    assert all(one.encounters == 1 and one.sources for one in panel.figures())
    with pytest.raises(sq.InputError, match="fewer than 11 encounters"):
        publish(panel, tmp_path / "a.pptx")
    deck = pptx.Presentation(publish(panel, tmp_path / "a.pptx", small_cells="show"))
    assert len(deck.slides) == 2
    while panel.rows:
        panel.rows[0].remove.click()
    assert panel.figures() == []


def test_the_planner_publishes_what_has_an_answer(tmp_path):
    panel = panels.DosePlanner()
    names = [one.name for one in panel.figures()]
    assert names == [
        "rate_profile",
        "duration_by_sites",
        "depot_course",
        "conversion_spread",
        "boluses_against_limit",
        "rotation",
    ]
    assert all(one.encounters is None and one.cells is None for one in panel.figures())
    assert all(one.sources for one in panel.figures())
    path = publish(panel, tmp_path / "a.xlsx")
    assert len(re.findall("<sheet ", sheets(path)["xl/workbook.xml"])) == 8
    panel.sections["conversion"].entries["iv_dose"].value = "much"
    assert "conversion_spread" not in [one.name for one in panel.figures()]


def test_the_scenarios_publish_the_open_view(tmp_path):
    panel = panels.ScenarioPanel()
    shown = {}
    for at, name in enumerate(panel.tabs.titles):
        panel.tabs.selected_index = at
        shown[name] = [one.name for one in panel.figures()]
        for one in panel.figures():
            n = one.encounters
            assert n is None or f"{n:,} of 4,993 encounters coded" in one.spec["description"]
        if panel.figures():
            publish(panel, tmp_path / f"{at}.pdf")
    assert shown == {
        "Totals": ["scenario_totals", "payment_bridge"],
        "How sure": ["tornado", "payment_distribution"],
        "Charting": ["charting_error_curve", "steps_nearly_reached"],
        "Places and years": ["localities_ranked", "rates_over_years"],
        "Market": ["market_strip"],
        "Break-even": ["break_even_volume"],
        "Sources": [],
    }
    with pytest.raises(sq.InputError, match="the open view has none"):
        publish(panel, tmp_path / "none.pdf")
    panel.tabs.selected_index = list(shown).index("Charting")
    path = publish(panel, tmp_path / "near.xlsx")
    near_steps = pl.read_excel(path, sheet_name="2 steps nearly reached")
    assert near_steps["Below"].null_count() > 0
    assert not near_steps["Below"].is_between(1, 10).any()
    panel.rows[0].entries["locality"].value = "nowhere"
    assert panel.figures() == []
