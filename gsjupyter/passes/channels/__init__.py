"""Which channels of a network stand or fall together: without it, pruning would be a list of special cases."""

from gsjupyter.passes.channels.analysis import ChannelAnalysis, Layer, analyse
from gsjupyter.passes.channels.elementwise import ELEMENTWISE
from gsjupyter.passes.channels.groups import Channels
from gsjupyter.passes.channels.linear import LINEAR
from gsjupyter.passes.channels.shapes import SHAPES

RULES = {**ELEMENTWISE, **LINEAR, **SHAPES}
"""How each operator treats channels; one that isn't here needs all that it reads."""

__all__ = ["RULES", "ChannelAnalysis", "Channels", "Layer", "analyse"]
