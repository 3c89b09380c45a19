"""The zoo's networks, with weights that compute something: a conversion of constant outputs proves nothing.

Fresh from mindcv, a network gives outputs that hardly depend on its input, or have no spread at all. So that errors can
be told, each one gets, in this order:

- ConvNeXt's layer scales: 1 instead of 1e-6, so that its blocks count;
- BatchNorm's ``gamma`` from 0.5 to 1.5 and ``beta`` around 1, so that folding has something to fold and most values
  pass the ReLU behind it. With ``beta`` around 0 a deep network is chaotic: each layer makes any error about 1.5 times
  larger in power [1]_, and ResNet-50 loses 15 dB more to 8 bits than a trained one would;
- BatchNorm's running statistics: those of one random batch that runs in training mode (with momentum 1), which keeps
  activations from vanishing or exploding with depth.

The images are smooth patches of colour with noise on them, since the averages of white noise are all alike.

.. [1] G. Yang et al., "A Mean Field Theory of Batch Normalization", ICLR 2019.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.float32]

SMALL = ("squeezenet1_1", "shufflenet_v2_x1_0")
"""Those that every test run converts."""

NAMES = (
    *SMALL,
    "mobilenet_v2_100",
    "resnet18",
    "resnet50",
    "efficientnet_b0",
    "densenet121",
    "convnext_tiny",
    "vit_b_32_224",
    "mlp_mixer_s_p16",
)

_SIZE = 224
_PATCHES = 4
_STATISTICS_SAMPLES = 8


def images(rng: np.random.Generator, samples: int) -> Images:
    """Return random images of shape (samples, 3, 224, 224): patches of colour, and a tenth of noise."""
    colours = rng.standard_normal((samples, 3, _PATCHES, _PATCHES))
    smooth = np.kron(colours, np.ones((_SIZE // _PATCHES, _SIZE // _PATCHES)))
    return (smooth + 0.1 * rng.standard_normal(smooth.shape)).astype(np.float32)


def network(name: str, rng: np.random.Generator) -> Any:
    """Return a network of the zoo in inference mode, its weights random but realistic."""
    import mindcv
    import mindspore

    mindspore.set_seed(int(rng.integers(1 << 31)))
    made = mindcv.create_model(name, pretrained=False)
    made.set_train(False)
    _scale_layers(made)
    _give_statistics(made, rng)
    return made


def _scale_layers(made: Any) -> None:
    import mindspore

    for parameter in made.get_parameters():
        if parameter.name.endswith(".gamma_"):
            parameter.set_data(mindspore.Tensor(np.ones(parameter.shape, np.float32)))


def _give_statistics(made: Any, rng: np.random.Generator) -> None:
    import mindspore
    from mindspore import nn, ops

    norms = [cell for _, cell in made.cells_and_names() if isinstance(cell, nn.BatchNorm2d | nn.BatchNorm1d)]
    if not norms:
        return
    own = [norm.bn_train for norm in norms]
    for norm in norms:
        channels = norm.gamma.shape
        norm.gamma.set_data(mindspore.Tensor(rng.uniform(0.5, 1.5, channels).astype(np.float32)))
        norm.beta.set_data(mindspore.Tensor(rng.normal(1.0, 0.2, channels).astype(np.float32)))
        norm.bn_train = ops.BatchNorm(is_training=True, epsilon=norm.eps, momentum=1.0)
        norm.set_train(True)
    made(mindspore.Tensor(images(rng, _STATISTICS_SAMPLES)))
    for norm, operator in zip(norms, own, strict=True):
        norm.bn_train = operator
        norm.set_train(False)
