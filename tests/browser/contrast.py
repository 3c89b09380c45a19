"""How well text stands out from what is behind it, as WCAG 2 defines it, from the colours a browser computed."""

from __future__ import annotations

from playwright.sync_api import Locator

# Colours are laid over each other on a canvas, since only the browser understands all the forms they come in.
_COLOURS = """element => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const paint = (colour, opacity) => {
        canvas.globalAlpha = opacity;
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const ancestors = [];
    for (let node = element; node; node = node.parentElement) {
        ancestors.unshift(node);
    }
    let opacity = 1;
    let background = paint("white", 1);
    for (const node of ancestors) {
        const bar = node.previousElementSibling;
        if (bar?.className === "gs-Report-bar") {
            background = paint(getComputedStyle(bar).backgroundColor, opacity);
        }
        const style = getComputedStyle(node);
        opacity *= Number(style.opacity);
        background = paint(style.backgroundColor, opacity);
    }
    return [paint(getComputedStyle(element).color, opacity), background];
}"""


def contrast(element: Locator) -> float:
    """Return the contrast ratio of the text of `element`, 1 (invisible) to 21 (black on white)."""
    darker, lighter = sorted(map(_luminance, element.evaluate(_COLOURS)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: list[int]) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
