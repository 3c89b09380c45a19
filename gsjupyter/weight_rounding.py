"""Weights rounded by what their layers see: errors within a channel make up for each other on the calibration data."""

from collections.abc import Callable, Iterable, Sequence

from gsjupyter.input_statistics import second_moments
from gsjupyter.mindir import Array, Model
from gsjupyter.passes import LayerSettings, LinearOperator, linear_operators
from gsjupyter.passes.quantize_weights import check_finite, clipping_of
from gsjupyter.quantization import QuantizedArray
from gsjupyter.quantization.compensated_rounding import quantize_compensated


def compensated_weights(
    model: Model, batches: Callable[[], Iterable[Sequence[Array]]], settings: LayerSettings
) -> dict[str, QuantizedArray]:
    """Return the weights of a network's layers in integers, by layer name.

    Parameters
    ----------
    model : Model
        The network, its weights in floating point.
    batches : callable
        Returns the calibration batches; called once for each pass over them.
    settings : LayerSettings
        How each layer's weight is quantized. Those in floating point, and those whose inputs can't be watched, are not
        among what is returned.

    Raises
    ------
    CalibrationError
        If there is no batch, one doesn't fit the network or makes NaN, or several passes are needed and the data can
        be read only once.
    ParameterError
        If a weight holds NaN or infinite values.
    """
    layers: dict[str, LinearOperator] = {}
    for operator in linear_operators(model.graph()):
        if operator.stored is None and settings.setting(operator.name).scheme is not None:
            check_finite(operator)
            layers.setdefault(operator.name, operator)
    return {
        name: _compensated(layers[name], moment, settings)
        for name, moment in second_moments(model, batches, list(layers))
    }


def _compensated(operator: LinearOperator, moment: Array, settings: LayerSettings) -> QuantizedArray:
    setting = settings.setting(operator.name)
    scheme = setting.scheme
    if scheme is None:
        raise ValueError(f"layer {operator.name} stays in {setting.weights}")
    clipping = clipping_of(operator, setting, scheme)
    return quantize_compensated(operator.weight.array, operator.axis, scheme, moment, clipping)
