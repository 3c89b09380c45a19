"""Makes the README's pictures of the screenshots that tests took: ``make picture``."""

from pathlib import Path

from PIL import Image

SCREENSHOTS = Path(__file__).parent / "screenshots"
PICTURES = Path(__file__).parents[2] / "notebooks"
NAMES = ("quickstart", "panel")
COLOURS = 256

if __name__ == "__main__":
    for name in NAMES:
        with Image.open(SCREENSHOTS / f"{name}.png") as screenshot:
            half = screenshot.convert("RGB").resize(
                (screenshot.width // 2, screenshot.height // 2), Image.Resampling.LANCZOS
            )
        half.quantize(COLOURS, kmeans=2).save(PICTURES / f"{name}.png", optimize=True)
