"""The model file: read, write, check, edit, run. The only package that knows the protobuf."""

from gsjupyter.mindir.attributes import AttributeValue, Opaque
from gsjupyter.mindir.cell import as_tensor, model_from_cell
from gsjupyter.mindir.files import load_model, save_model
from gsjupyter.mindir.graph import Graph
from gsjupyter.mindir.model import Model
from gsjupyter.mindir.runner import InnerRunner, Runner, run_with
from gsjupyter.mindir.scope import Scope
from gsjupyter.mindir.types import TYPE_IDS, Array
from gsjupyter.mindir.values import Constant, Input, Node, Parameter, Value
from gsjupyter.signature import InputSpec, Output, check_inputs, flat_output

__all__ = [
    "TYPE_IDS",
    "Array",
    "AttributeValue",
    "Constant",
    "Graph",
    "InnerRunner",
    "Input",
    "InputSpec",
    "Model",
    "Node",
    "Opaque",
    "Output",
    "Parameter",
    "Runner",
    "Scope",
    "Value",
    "as_tensor",
    "check_inputs",
    "flat_output",
    "load_model",
    "model_from_cell",
    "run_with",
    "save_model",
]
