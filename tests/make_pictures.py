"""Make the pictures of the README: ``python tests/make_pictures.py``; needs Chromium.

Each panel is opened in Voilà as a user opens it, and its picture is kept small: few colours,
at most 100 kB.
"""

import io
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
PICTURES = NOTEBOOKS / "pictures"
#: Each picture: its notebook, and the tab that is opened.
SHOWN = {
    "durations": ("02_infusion_durations", "Distribution"),
    "units": ("03_unit_distributions", "Units by group"),
    "scenarios": ("05_reimbursement_scenarios", "Totals"),
}
_WIDTH_PX, _HEIGHT_PX, _TALLEST_PX, _COLOURS = 1280, 2400, 1080, 160


@contextmanager
def served():
    """Voilà on a free port; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "voila", str(NOTEBOOKS), "--no-browser"]
    process = subprocess.Popen([*command, "--Voila.ip=127.0.0.1", f"--port={port}"])
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def main() -> None:
    """Draw every picture anew."""
    PICTURES.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (notebook, tab) in SHOWN.items():
            page = browser.new_page(viewport={"width": _WIDTH_PX, "height": _HEIGHT_PX})
            page.goto(f"{address}/voila/render/{notebook}.ipynb", timeout=90_000)
            page.wait_for_selector(".sq-panel svg.marks", timeout=90_000)
            page.get_by_role("tab", name=tab).click()
            page.wait_for_timeout(2_500)
            shot = Image.open(io.BytesIO(page.locator(".sq-panel").screenshot())).convert("RGB")
            shown = shot.crop((0, 0, shot.width, min(shot.height, _TALLEST_PX)))
            few = shown.quantize(_COLOURS)
            few.save(PICTURES / f"{name}.png", optimize=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
