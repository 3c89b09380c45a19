"""The zoo's networks, with weights that compute something: a conversion of constant outputs proves nothing.

Fresh from mindcv, a network gives outputs that hardly depend on its input, or have no spread at all. So that errors can
be told, each one gets, in this order:

- layer scales (ConvNeXt's, CaiT's, PoolFormer's): 1 instead of 1e-5 or 1e-6, so that their blocks count, and what
  ConvNeXt V2 normalizes responses with: random instead of 0;
- BatchNorm's ``gamma`` from 0.5 to 1.5 and ``beta`` around 1, so that folding has something to fold and most values
  pass the ReLU behind it. With ``beta`` around 0 a deep network is chaotic: each layer makes any error about 1.5 times
  larger in power [1]_, and ResNet-50 loses 15 dB more to 8 bits than a trained one would;
- BatchNorm's running statistics: those of one random batch that runs in training mode (with momentum 1), which keeps
  activations from vanishing or exploding with depth.

The images are smooth patches of colour with noise on them, since the averages of white noise are all alike.

.. [1] G. Yang et al., "A Mean Field Theory of Batch Normalization", ICLR 2019.
"""

import re
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

ONNX_NAMES = (
    *NAMES,
    "mobilenet_v1_100",
    "mobilenet_v3_small_100",
    "vgg11",
    "googlenet",
    "inception_v3",
    "inception_v4",
    "xception",
    "shufflenet_v1_g3_10",
    "mnasnet_100",
    "nasnet_a_4x1056",
    "pnasnet",
    "efficientnet_v2_s",
    "repvgg_a0",
    "resnetv2_50",
    "resnext50_32x4d",
    "resnest14",
    "seresnet18",
    "BiT_resnet50",
    "dpn92",
    "hrnet_w32",
    "convnextv2_atto",
    "repmlp_t224",
    "poolformer_s12",
    "mobilevit_xx_small",
    "visformer_tiny",
    "swin_tiny",
    "pvt_v2_b0",
    "convit_tiny",
    "cait_xxs24_224",
    "mae_b_16_224_finetune",
)
"""Those that ONNX is tested on: one or two of each family."""

_SIZE = 224
_LARGER = {"inception_v3": 299, "inception_v4": 299, "xception": 299, "nasnet_a_4x1056": 331, "pnasnet": 331}
_PATCHES = 4
_STATISTICS_SAMPLES = 8


def image_size(name: str) -> int:
    """Return the height and width of the images that a network is made for."""
    return _LARGER.get(name, _SIZE)


def images(rng: np.random.Generator, samples: int, size: int = _SIZE) -> Images:
    """Return random images of shape (samples, 3, size, size): patches of colour, and a tenth of noise."""
    colours = rng.standard_normal((samples, 3, _PATCHES, _PATCHES))
    patch = -(-size // _PATCHES)
    smooth = np.kron(colours, np.ones((patch, patch)))[..., :size, :size]
    return (smooth + 0.1 * rng.standard_normal(smooth.shape)).astype(np.float32)


def network(name: str, rng: np.random.Generator) -> Any:
    """Return a network of the zoo in inference mode, its weights random but realistic."""
    import mindcv
    import mindspore

    mindspore.set_seed(int(rng.integers(1 << 31)))
    made = mindcv.create_model(name, pretrained=False)
    made.set_train(False)
    _scale_layers(made, rng)
    _give_statistics(made, rng, image_size(name))
    return made


def _scale_layers(made: Any, rng: np.random.Generator) -> None:
    import mindspore

    for parameter in made.get_parameters():
        if re.search(r"\.(gamma_[12]?|layer_scale_[12])$", parameter.name):
            parameter.set_data(mindspore.Tensor(np.ones(parameter.shape, np.float32)))
        elif normalization := re.search(r"\.grn\.(gamma|beta)$", parameter.name):
            spread = 1 if normalization[1] == "gamma" else 0.1
            parameter.set_data(mindspore.Tensor(rng.normal(0, spread, parameter.shape).astype(np.float32)))


def _give_statistics(made: Any, rng: np.random.Generator, size: int) -> None:
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
    made(mindspore.Tensor(images(rng, _STATISTICS_SAMPLES, size)))
    for norm, operator in zip(norms, own, strict=True):
        norm.bn_train = operator
        norm.set_train(False)
