"""One layer of a conversion in numbers: the row that tables, data frames, figures and magics all read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerRecord:
    """One layer with a weight.

    Figures are None where there is nothing to measure: of a weight in float32, of an input that isn't quantized, of
    what a weight that came quantized had lost before.

    Parameters
    ----------
    name : str
        The layer's name.
    operator : str
        MindSpore's operator.
    shape : tuple of int
        The weight's shape.
    parameters : int
        How many numbers the weight has.
    weights : str
        The weight's format, in words.
    activations : str
        The input's format, in words.
    bytes_before, bytes_after : int
        What the weight takes, scales included.
    scale_min, scale_max : float or None
        The smallest and largest scale of the weight; None in floating point.
    zero_point_min, zero_point_max : int or None
        The smallest and largest integer that stands for 0.0.
    levels_used, clipped_share, rmse_over_scale, cosine, outlier_ratio : float or None
        See `gsjupyter.quantization.statistics.WeightStatistics`.
    sqnr_db : float or None
        The weight's signal to quantization noise ratio in decibel; None in float32.
    channel_ranges : tuple of float, optional
        Minimum, lower quartile, median, upper quartile and maximum of the largest absolute value of each output channel
        of the weight, before quantization.
    activation_low, activation_high : float or None
        The input's quantized range.
    activation_observed_low, activation_observed_high : float or None
        The smallest and largest input that calibration saw.
    activation_scale : float or None
        The input's scale.
    activation_zero_point : int or None
        The integer that stands for an input of 0.0.
    activation_sqnr_db : float or None
        The input's signal to quantization noise ratio on the calibration data, in decibel.
    activation_clipped_share : float or None
        The share of the calibration data's values beyond the quantized range.
    activation_outlier_ratio : float or None
        The largest absolute input over the root mean square, on the calibration data.
    error_share : float or None
        The predicted share of the output's error power; None unless sensitivities were measured.
    isolated_sqnr_db, accumulated_sqnr_db : float or None
        How near the layer's output is to the float network's with this layer alone quantized, and with all that were;
        None unless that was measured.
    note : str
        Why a layer was left alone, where it was.
    """

    name: str
    operator: str
    shape: tuple[int, ...]
    parameters: int
    weights: str
    activations: str
    bytes_before: int
    bytes_after: int
    scale_min: float | None = None
    scale_max: float | None = None
    zero_point_min: int | None = None
    zero_point_max: int | None = None
    levels_used: float | None = None
    clipped_share: float | None = None
    rmse_over_scale: float | None = None
    cosine: float | None = None
    outlier_ratio: float | None = None
    sqnr_db: float | None = None
    channel_ranges: tuple[float, float, float, float, float] | None = None
    activation_low: float | None = None
    activation_high: float | None = None
    activation_observed_low: float | None = None
    activation_observed_high: float | None = None
    activation_scale: float | None = None
    activation_zero_point: int | None = None
    activation_sqnr_db: float | None = None
    activation_clipped_share: float | None = None
    activation_outlier_ratio: float | None = None
    error_share: float | None = None
    isolated_sqnr_db: float | None = None
    accumulated_sqnr_db: float | None = None
    note: str = ""
