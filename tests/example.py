"""Makes reports/example again: ``python -m tests.example``, in the project's folder; three minutes.

toy.md is what ``asdbench run`` prints, toy.html the page of ``asdbench run --selection both``, and toy.png that page's
beginning and first figures (without Chromium it stays as it is). Trainings of other processors and versions give other
numbers.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

EXAMPLE = Path(__file__).parents[1] / "reports" / "example"
WIDTH, HEIGHT, GAP = 1150, 1120, 24  # pixels of either half of the picture, and between them


def main() -> None:
    """Write the files of the example."""
    with TemporaryDirectory() as folder:
        (EXAMPLE / "toy.md").write_text(_asdbench(folder, "run"), encoding="utf-8")
        shutil.rmtree(Path(folder, "results"))
        _asdbench(folder, "run", "--selection", "both")
        _asdbench(folder, "report", "--format", "html", "--dataset", "toy", "--output", str(EXAMPLE / "toy.html"))
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("there is no Chromium: toy.png is not made again")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play, play.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto((EXAMPLE / "toy.html").as_uri())
        halves = [page.screenshot()]
        page.evaluate("document.querySelector('figure').scrollIntoView()")
        halves.append(page.screenshot())
        page.set_viewport_size({"width": 2 * WIDTH + GAP, "height": HEIGHT})
        images = "".join(f'<img src="data:image/png;base64,{b64encode(half).decode()}">' for half in halves)
        page.set_content(f'<body style="margin: 0; display: flex; gap: {GAP}px; background: #aaa">{images}')
        page.screenshot(path=EXAMPLE / "toy.png")


def _asdbench(folder: str, *words: str) -> str:
    command = [sys.executable, "-m", "asdbench", *words]
    return subprocess.run(command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    main()
