"""What a network is, in one line: the algorithm that compressed it, how, and how many layers of it."""

from collections import Counter

from gsjupyter.goldenstick.lowering import LowerFakeQuantization, QuantizedWeight


def quantization_in_words(lowering: LowerFakeQuantization) -> list[str]:
    """Return what a lowering has recognised: ``SimQAT, 8 bit, per channel, 5 layers`` for example.

    Parameters
    ----------
    lowering : LowerFakeQuantization
        The pass, after it has run.
    """
    counts = Counter(lowering.found)
    lines = [_line(weight, count) for weight, count in counts.items()]
    if lowering.activation_bits:
        bits = " and ".join(map(str, sorted(lowering.activation_bits)))
        inputs = f"activations {bits} bit"
        lines = [f"{line}, {inputs}" for line in lines] or [inputs]
    return lines


def _line(weight: QuantizedWeight, count: int) -> str:
    form = ", after its own convert" if weight.is_converted else ""
    return f"{weight.algorithm}, {weight.bits} bit, per {weight.granularity}, {plural(count, 'layer')}{form}"


def plural(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 layer``, ``5 layers``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
