"""Networks with masks of zeros and ones, as pruning in training leaves them; in a file, for MindSpore's compiler."""

import mindspore
import numpy as np
from mindspore import Parameter, Tensor, nn, ops


class MaskedConv(nn.Cell):
    """A convolution and its BatchNorm, with a mask that is filled by index at every call."""

    def __init__(self, kept):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU()
        self.zeros = ops.Zeros()
        self.kept = list(kept)

    def construct(self, x):
        x = self.norm(self.conv(x))
        mask = self.zeros(x.shape, mindspore.float32)
        mask[:, self.kept, :, :] = 1.0
        return self.relu(x * mask)


class FilledByMask(nn.Cell):
    """A convolution and its BatchNorm, some channels of which are filled with zeros."""

    def __init__(self, kept):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU()
        dropped = ~np.isin(np.arange(6), kept).reshape(1, 6, 1, 1)
        self.dropped = Tensor(np.broadcast_to(dropped, (2, 6, 6, 6)).copy())

    def construct(self, x):
        return self.relu(ops.masked_fill(self.norm(self.conv(x)), self.dropped, 0.0))


class MaskIsShared(nn.Cell):
    """Two convolutions behind each other, with one mask for both."""

    def __init__(self, kept):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3)
        self.conv2 = nn.Conv2d(6, 6, 3, has_bias=True)
        self.mask = Tensor(np.isin(np.arange(6), kept).astype(np.float32).reshape(1, 6, 1, 1))

    def construct(self, x):
        return self.mask * self.conv2(self.conv1(x) * self.mask)


class MaskedChain(nn.Cell):
    """A layer, an activation or none, and a stored mask of a given shape."""

    def __init__(self, layer, activation, shape, kept, mask=None):
        super().__init__()
        self.layer = layer
        self.activation = activation
        given = np.isin(np.arange(6), kept).astype(np.float32).reshape(shape) if mask is None else mask
        self.mask = Tensor(given)

    def construct(self, x):
        x = self.layer(x)
        if self.activation is not None:
            x = self.activation(x)
        return x * self.mask


class MaskedByParameter(nn.Cell):
    """A convolution with a factor for each channel."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.mask = Parameter(Tensor(np.full((1, 6, 1, 1), 0.5, np.float32)), name="mask")

    def construct(self, x):
        return self.conv(x) * self.mask


class ReadBesideMask(nn.Cell):
    """A convolution whose output is masked, and read without the mask as well."""

    def __init__(self, kept):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.mask = Tensor(np.isin(np.arange(6), kept).astype(np.float32).reshape(1, 6, 1, 1))

    def construct(self, x):
        x = self.conv(x)
        return x * self.mask + x
