"""Short names for the rows of a benchmark, which figures and messages share: without what all have in common."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from gsjupyter.benchmarking.records import ENGINE_TITLES, TARGET_TITLES, Setting
from gsjupyter.engines.execution_providers import PROVIDERS

_PLAIN_PROVIDERS: Final = ("", "cpu", "cuda", "cann")


def target_title(setting: Setting) -> str:
    """Return where a row ran, with ONNX Runtime's execution provider where the target has several."""
    title = TARGET_TITLES[setting.target]
    if setting.provider in _PLAIN_PROVIDERS:
        return title
    known = PROVIDERS.get(setting.provider)
    return f"{title} ({known.title if known is not None else setting.provider})"


def row_names(settings: Sequence[Setting]) -> tuple[str, ...]:
    """Return a name for each row: its subject, and whatever else the rows differ in.

    Parameters
    ----------
    settings : sequence of Setting
        The rows of one benchmark.

    Returns
    -------
    tuple of str
        ``"resnet18, ONNX Runtime, batch 8"`` for example; no two are alike unless the settings are.
    """
    parts = [_parts(setting) for setting in settings]
    kinds = [len(set(values)) for values in zip(*parts, strict=True)]
    engines = {
        setting.subject: {item.engine for item in settings if item.subject == setting.subject} for setting in settings
    }
    names = []
    for setting, (engine, *others) in zip(settings, parts, strict=True):
        # Models of different formats have different engines, and different names already.
        told = [engine] if len(engines[setting.subject]) > 1 else []
        told += [part for part, count in zip(others, kinds[1:], strict=True) if part and count > 1]
        names.append(", ".join([setting.subject, *told]))
    taken = Counter(names)
    return tuple(
        f"{name}, file {setting.digest[:8]}" if taken[name] > 1 and setting.digest else name
        for name, setting in zip(names, settings, strict=True)
    )


def _parts(setting: Setting) -> tuple[str, ...]:
    return (
        ENGINE_TITLES[setting.engine],
        target_title(setting),
        f"batch {setting.batch}",
        f"{setting.threads} thread{'s' if setting.threads != 1 else ''}",
        f"on {setting.host}" if setting.host else "",
    )
