"""Pictures of letters for docs/letters.md, drawn by Chromium. To draw them: python -m tests.letter_pictures."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.test_letters import body, letter_of, letters_form, mail_of

IMAGES = Path(__file__).parent.parent / "docs" / "images"

PICTURES = {  # width and height in pixels: a phone is 390 wide
    "correction-nb": (390, 890),
    "correction-again-nn": (700, 690),
    "receipt-nb": (390, 520),
    "wrong-form-nn": (700, 500),
    "reminder-nb": (390, 590),
}
# Chromium is a browser first: each of these keeps it from doing something of its own accord.
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars")
ALONE = ("--disable-background-networking", "--disable-component-update", "--disable-sync")


def draw(name: str, size: tuple[int, int], folder: Path) -> Path:
    """Draw the HTML of one golden letter as it looks on a screen of that size."""
    page = folder / f"{name}.html"
    page.write_text(body(mail_of(letter_of(letters_form(), name)), "html"), encoding="utf-8")
    picture = IMAGES / f"letter-{name}.png"
    window = f"--window-size={size[0]},{size[1]}"
    chromium = shutil.which("chromium") or "chromium"
    command = [chromium, *QUIET, *ALONE, f"--user-data-dir={folder / name}", window, f"--screenshot={picture}"]
    subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=60)
    return picture


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        for each, shape in PICTURES.items():
            done = draw(each, shape, Path(temporary))
            print(done.name, done.stat().st_size)  # noqa: T201 - a command
