"""The panels in a real browser, with the network cut: JupyterLab and Voilà.

Skipped where there is no Chromium. Each page must draw without any outside host.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
        if (found := shutil.which(name))
    ),
    None,
)
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("jupyterlab", reason="jupyterlab is not installed")
if CHROMIUM is None:
    pytest.skip("no Chromium found on the path; install one to run these", allow_module_level=True)

from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402

#: No name can be looked up but this machine's: whoever asks for a CDN fails here.
CUT_OFF = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
#: Addresses of this machine; and icons that Voilà's own template links, missed by nobody.
INSIDE = (
    "http://127.0.0.1",
    "ws://127.0.0.1",
    "data:",
    "blob:",
    "https://cdn.jsdelivr.net/npm/@fortawesome/",
)
PATIENCE_MS = 45_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    copy = tmp_path_factory.mktemp("served") / "notebooks"
    shutil.copytree(NOTEBOOKS, copy, ignore=shutil.ignore_patterns(".*"))
    return copy


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CUT_OFF))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def serve(folder):
    """Start a server of this environment on a free port; returns its address when it answers."""
    started = []

    def start(*command: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        home = folder.parent
        news = home / "settings" / "@jupyterlab" / "apputils-extension"
        news.mkdir(parents=True, exist_ok=True)
        (news / "notification.jupyterlab-settings").write_text(
            '{"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}'
        )
        own = {
            "JUPYTER_CONFIG_DIR": home / "config",
            "JUPYTER_DATA_DIR": home / "data",
            "JUPYTER_RUNTIME_DIR": home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": home / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
            "IPYTHONDIR": home / "ipython",
        }
        log = (home / f"{port}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", *command, f"--port={port}"],
            cwd=folder,
            env=os.environ | {name: str(path) for name, path in own.items()},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        started.append((process, log))
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process, Path(log.name))
        return address

    yield start
    for process, log in started:
        process.terminate()
        process.wait(20)
        log.close()


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(150):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except URLError as error:
            if getattr(error, "code", None) is None:
                time.sleep(0.2)
                continue
        return
    pytest.fail(f"the server did not come up:\n{log.read_text()[-2000:]}")


@pytest.fixture
def page(browser):
    """A page, and after the test: nothing asked of outside hosts, no error in its console."""
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.set_default_timeout(PATIENCE_MS)
    requested, errors = [], []
    page.on("request", lambda request: requested.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if message.type == "error" else None,
    )
    yield page
    page.close()
    assert not [url for url in requested if not url.startswith(INSIDE)]
    ours = ("vega", "widget", "anywidget", "sq-", "script")
    assert not [error for error in errors if any(word in error.lower() for word in ours)]


def retype_stop(page: Page, stop: str) -> None:
    """Put the focus into the first stop, type with the keyboard, and leave with Tab."""
    page.get_by_label("Stop", exact=True).first.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type(stop)
    page.keyboard.press("Tab")


def check_calculator(page: Page, picture: Path) -> None:
    units = page.locator(".sq-units")
    expect(units).to_have_text("96369 ×1 · 96370 ×2 · 96371 ×1")
    for chart in page.locator(".sq-chart svg.marks").all():
        expect(chart).to_be_visible()
    page.locator(".sq-panel").screenshot(path=picture)
    retype_stop(page, "11:30 am")
    expect(page.get_by_label("Stop is on").first).to_be_focused()
    expect(units).to_have_text("96369 ×1 · 96370 ×1 · 96371 ×1")
    expect(page.locator(".sq-measure")).to_have_text("150 min counted, 1 min to the next unit")
    expect(page.locator(".sq-chart svg.marks").first).to_contain_text("150 min with at least")
    retype_stop(page, "half nine")
    expect(page.locator(".sq-note")).to_contain_text("1 of 2 rows is not in this answer")
    expect(page.locator(".sq-run").first.locator(".sq-marks")).to_contain_text("not a clock time")
    retype_stop(page, "0131")
    expect(page.locator(".sq-marks").first).to_contain_text("before the start")
    page.get_by_label("Stop is on").first.select_option("next day")
    expect(page.locator(".sq-measure")).to_contain_text("991 min counted")


def check_planner(page: Page, picture: Path) -> None:
    headline = page.locator(".sq-units")
    expect(headline).to_have_text("180 min · 1 site × 9 mL")
    for chart in page.locator(".sq-panel svg.marks").all():
        expect(chart).to_be_visible()
    page.locator(".sq-panel").screenshot(path=picture)
    page.get_by_label("Amount", exact=True).focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("9.1")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Over [h]")).to_be_focused()
    expect(headline).to_have_text("182 min · 1 site × 9.1 mL")
    expect(page.locator(".sq-panel svg.marks").first).to_contain_text("Runs 182 min at 3 mL/h")
    page.get_by_label("Product").select_option(label="Hizentra (immune globulin 20 %)")
    page.get_by_label("Use", exact=True).select_option("cidp")
    expect(page.locator(".sq-measure")).to_contain_text("set by rate at each site")
    page.get_by_label("Drug").select_option("insulin")
    expect(page.locator(".sq-note").last).to_contain_text("none is taken silently")
    slider = page.locator(".noUi-handle, .slider input").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".sq-panel")).to_contain_text("stated by the user")


def check_scenarios(page: Page, picture: Path) -> None:
    panel, charts = page.locator(".sq-panel"), page.locator(".sq-panel svg.marks")
    expect(charts.first).to_contain_text("half of the missing stops")
    expect(panel.locator("table[aria-label=Totals]")).to_contain_text("$1,084,304.41")
    panel.screenshot(path=picture)
    baseline, what_if = page.locator(".sq-terms").first, page.locator(".sq-terms").nth(1)
    what_if.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".sq-panel svg.marks").nth(1)).to_contain_text("denials")
    what_if.get_by_label("Locality").focus()
    page.keyboard.type("nowhere")
    page.keyboard.press("Tab")
    expect(what_if.locator(".sq-marks")).to_contain_text("no locality of that name")
    expect(panel).to_contain_text("Nothing below is an answer")
    what_if.get_by_label("Locality").fill("")
    page.keyboard.press("Tab")
    expect(what_if.locator(".sq-marks")).to_have_count(0)
    panel.get_by_label("Add a what-if").select_option("all work in an office")
    expect(page.locator(".sq-terms")).to_have_count(3)
    for name in ("How sure", "Charting", "Places and years", "Market", "Break-even"):
        page.get_by_role("tab", name=name).click()
        expect(page.locator(".sq-panel svg.marks:visible").first).to_be_visible()
        panel.screenshot(path=picture.with_stem(f"{picture.stem}_{name.split()[0]}"))
    page.get_by_role("tab", name="Sources").click()
    expect(panel.locator("table[aria-label=Rates]")).to_contain_text("33.4009")
    expect(baseline).to_be_visible()


def check_durations(page: Page, picture: Path) -> None:
    panel = page.locator(".sq-panel")
    charts = page.locator(".sq-panel svg.marks:visible")
    expect(charts.nth(1)).to_contain_text("last 76 to 90 min")
    panel.screenshot(path=picture)
    plot = charts.first.locator(".background").first.bounding_box()
    left, middle = plot["x"], plot["y"] + plot["height"] / 2
    page.mouse.move(left + 0.1 * plot["width"], middle)
    page.mouse.down()
    page.mouse.move(left + 0.3 * plot["width"], middle, steps=8)
    page.mouse.up()
    expect(charts.nth(1)).not_to_contain_text("last 76 to 90 min")
    expect(charts.nth(1)).to_contain_text("By therapy")
    page.get_by_label("Groups").select_option("department")
    expect(charts.nth(1)).to_contain_text("By department")
    page.get_by_label("Show only").select_option("Treatment Room")
    expect(charts.first).to_contain_text("Only “Treatment Room”")
    for name in ("By group", "Charted times", "Near a step", "Over time"):
        page.get_by_role("tab", name=name).click()
        expect(charts.first).to_be_visible()
        panel.screenshot(path=picture.with_stem(f"{picture.stem}_{name.split()[0]}"))
    page.get_by_label("Follow").select_option("Encounters that could be coded [%]")
    expect(charts.first).to_contain_text("coded")
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("tab", name="Distribution").click()
    expect(charts.nth(1)).to_contain_text("last 76 to 90 min")
    save = page.get_by_label("Save as")
    save.fill("../somewhere")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(panel.locator(".sq-save")).to_contain_text("Type a plain file name")
    save.fill("durations")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(panel.locator(".sq-save")).to_contain_text("Saved: durations.pptx")


def check_units(page: Page, picture: Path) -> None:
    panel = page.locator(".sq-panel")
    charts = page.locator(".sq-panel svg.marks:visible")
    expect(charts.nth(1)).to_be_visible()
    panel.screenshot(path=picture)
    page.get_by_label("Groups").select_option("payer")
    expect(charts.first).to_contain_text("Medicare")
    for name in ("Other policies", "Documentation", "Month to month", "Other steps"):
        page.get_by_role("tab", name=name).click()
        expect(charts.first).to_be_visible()
        panel.screenshot(path=picture.with_stem(f"{picture.stem}_{name.split()[-1]}"))
    before = charts.first.text_content()
    page.locator(".noUi-handle:visible").first.focus()
    page.keyboard.press("ArrowRight")
    expect(charts.first).not_to_have_text(before)
    page.get_by_role("button", name="Reset").click()
    expect(charts.first).to_have_text(before)


def check_rules(page: Page, picture: Path) -> None:
    panel = page.locator(".sq-panel")
    charts = page.locator(".sq-panel svg.marks:visible")
    expect(charts.first).to_be_visible()
    panel.screenshot(path=picture)
    search = page.get_by_label("Search", exact=True)
    search.fill("Hizentra rate")
    page.keyboard.press("Enter")
    expect(panel.locator("table[aria-label='Numbers in use']")).to_contain_text("Hizentra")
    page.get_by_label("On", exact=True).fill("someday")
    page.keyboard.press("Tab")
    expect(panel).to_contain_text("Type the day as 2026-03-02")
    page.get_by_role("button", name="Reset").click()
    for name in ("To be read again", "Where sources disagree"):
        page.get_by_role("tab", name=name).click()
        expect(charts.first).to_be_visible()
        panel.screenshot(path=picture.with_stem(f"{picture.stem}_{name.split()[0]}"))
    expect(panel).to_contain_text("A run has a start but no stop")


def check_audit(page: Page, picture: Path) -> None:
    panel = page.locator(".sq-panel")
    charts = page.locator(".sq-panel svg.marks:visible")
    if page.get_by_role("tab", name="Finding").get_attribute("aria-selected") != "true":
        page.get_by_role("tab", name="Finding").click()
    expect(charts.first).to_contain_text("Charged twice")
    panel.screenshot(path=picture)
    page.get_by_label("Valued at").select_option("hospital outpatient (OPPS)")
    expect(charts.first).to_contain_text("at OPPS")
    page.get_by_role("tab", name="By group").click()
    page.get_by_label("Groups").select_option("department")
    expect(charts.first).to_contain_text("Infusion Center")
    panel.screenshot(path=picture.with_stem(f"{picture.stem}_group"))
    page.get_by_role("tab", name="Worklist").click()
    listed = panel.locator("table[aria-label='Worklist']")
    expect(listed).to_contain_text("SYN-")
    page.get_by_label("Search", exact=True).fill("SYN-X")
    page.keyboard.press("Enter")
    expect(listed).to_contain_text("Charge without a chart")
    page.get_by_role("tab", name="One case").click()
    page.get_by_label("Encounter", exact=True).fill("nobody")
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("have an encounter of that number")
    page.get_by_role("button", name="Reset").click()
    expect(panel.locator("table[aria-label='Judgement']")).to_be_visible()
    panel.screenshot(path=picture.with_stem(f"{picture.stem}_case"))
    page.get_by_role("tab", name="Sample").click()
    expect(charts.first).to_contain_text("reviewed")


def check_wizard(page: Page, picture: Path) -> None:
    panel = page.locator(".sq-panel")
    outcomes = panel.locator("table[aria-label='Outcomes']")
    expect(outcomes).to_contain_text("23")
    panel.screenshot(path=picture)
    expect(panel).to_contain_text("By upload up to 8 MB")
    expect(page.get_by_label("Dates", exact=True).locator("option:checked")).to_have_text(
        "as the values show"
    )
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the map").click()
    saved = download.value.path()
    assert download.value.suggested_filename == "our_ehr.json"
    assert b"SYN-" not in saved.read_bytes()
    page.get_by_label("Note", exact=True).select_option("em_code")
    expect(outcomes).to_have_count(0)
    expect(panel).to_contain_text("A choice was changed")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a map").click()
    map_file = {"name": "<b>map</b>.json", "mimeType": "application/json"}
    chooser.value.set_files([map_file | {"buffer": saved.read_bytes()}])
    expect(outcomes).to_contain_text("23")
    upload = {"mimeType": "text/csv", "name": "<b>../x</b>.csv"}
    rows = "Visit,Start,Stop,Note\n1,2026-03-02 09:00,2026-03-02 10:31,<script>alert(1)</script>\n"
    for _ in range(2):
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Upload an export").click()
        chooser.value.set_files([upload | {"buffer": rows.encode()}])
        expect(panel.locator("table[aria-label='First rows']")).to_contain_text("<script>")
        page.get_by_role("button", name="Use these columns").click()
        expect(panel).to_contain_text("1 rows in = 1 + 0 + 0 + 0")
        page.get_by_role("button", name="Reset").click()
        expect(outcomes).to_have_count(0)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(panel).to_contain_text("Type the path of a file")


#: Each notebook with a panel, and what is done with it.
PANELS = {
    "01_coding_calculator": check_calculator,
    "02_infusion_durations": check_durations,
    "03_unit_distributions": check_units,
    "04_dose_and_absorption": check_planner,
    "05_reimbursement_scenarios": check_scenarios,
    "06_charge_audit": check_audit,
    "07_rules_and_sources": check_rules,
    "08_bring_your_own_data": check_wizard,
}


#: What a notebook shows before it is run; a picture, unless it has no chart.
SAVED = {"08_bring_your_own_data": ".jp-RenderedText pre"}


def lab(serve, page: Page, notebook: str) -> None:
    token = secrets.token_hex(8)
    address = serve(
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--IdentityProvider.token={token}",
    )
    page.goto(f"{address}/lab/workspaces/{notebook}/tree/{notebook}.ipynb?token={token}")


def run_all(page: Page, saved: Path, *, shows: str) -> None:
    """Look at what is saved, then run every cell."""
    expect(page.locator(shows).first).to_be_visible()
    page.screenshot(path=saved)
    # Until a kernel answers, running all cells runs none.
    expect(page.get_by_text("| Idle").first).to_be_visible()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


@pytest.mark.parametrize(("notebook", "check"), PANELS.items(), ids=PANELS)
def test_jupyterlab(serve, page, tmp_path, notebook, check):
    lab(serve, page, notebook)
    run_all(page, tmp_path / "saved.png", shows=SAVED.get(notebook, ".jp-RenderedImage img"))
    check(page, tmp_path / "jupyterlab.png")


@pytest.mark.parametrize(("notebook", "check"), PANELS.items(), ids=PANELS)
def test_voila(serve, page, tmp_path, notebook, check):
    address = serve("voila", "--no-browser", "--Voila.ip=127.0.0.1")
    page.goto(f"{address}/voila/render/{notebook}.ipynb")
    check(page, tmp_path / "voila.png")
