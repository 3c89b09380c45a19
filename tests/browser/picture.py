"""Makes the README's picture of the screenshot that the quickstart test took: ``make picture``."""

from pathlib import Path

from PIL import Image

SCREENSHOT = Path(__file__).parent / "screenshots" / "quickstart.png"
PICTURE = Path(__file__).parents[2] / "notebooks" / "quickstart.png"
COLOURS = 256

if __name__ == "__main__":
    with Image.open(SCREENSHOT) as screenshot:
        half = screenshot.convert("RGB").resize(
            (screenshot.width // 2, screenshot.height // 2), Image.Resampling.LANCZOS
        )
    half.quantize(COLOURS, kmeans=2).save(PICTURE, optimize=True)
