"""What runs a model: one file an engine."""

from gsjupyter.engines.mindspore import MindSporeModel

__all__ = ["MindSporeModel"]
