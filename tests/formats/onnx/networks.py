"""Kinds of networks that the zoo lacks: recurrent ones, and ones whose output is as large as their input."""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from tests.networks import filled


class Autoencoder(nn.Cell):
    """Convolutions down to an eighth of the size, transposed ones up again, of all three kinds of padding."""

    input_shape = (2, 3, 32, 32)

    def __init__(self):
        super().__init__()
        self.encoder = nn.SequentialCell(
            nn.Conv2d(3, 8, 3, stride=2, has_bias=True),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2),
            nn.BatchNorm2d(16),
            nn.LeakyReLU(0.1),
            nn.Conv2d(16, 24, 2, stride=2, pad_mode="valid"),
        )
        self.decoder = nn.SequentialCell(
            nn.Conv2dTranspose(24, 16, 2, stride=2, pad_mode="valid", has_bias=True),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2dTranspose(16, 8, 3, stride=2, pad_mode="same"),
            nn.ELU(),
            nn.Conv2dTranspose(8, 3, 4, stride=2, pad_mode="pad", padding=1, has_bias=True),
            nn.Sigmoid(),
        )

    def construct(self, x):
        return self.decoder(self.encoder(x))


class Convolutions(nn.Cell):
    """What each level of a U-Net does to its input."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, has_bias=True)
        self.relu = nn.ReLU()

    def construct(self, x):
        return self.relu(self.conv2(self.relu(self.bn1(self.conv1(x)))))


class UNet(nn.Cell):
    """Two levels down and up with a skip connection at each; one goes up by interpolation, one by a convolution."""

    input_shape = (2, 3, 32, 48)

    def __init__(self):
        super().__init__()
        self.down1 = Convolutions(3, 8)
        self.down2 = Convolutions(8, 16)
        self.bottom = Convolutions(16, 32)
        self.pool = nn.MaxPool2d(2, 2)
        self.up2 = nn.Conv2dTranspose(32, 16, 2, stride=2, has_bias=True)
        self.level2 = Convolutions(32, 16)
        self.level1 = Convolutions(24, 8)
        self.head = nn.Conv2d(8, 4, 1, has_bias=True)

    def construct(self, x):
        high = self.down1(x)
        middle = self.down2(self.pool(high))
        x = self.bottom(self.pool(middle))
        x = self.level2(ops.cat((self.up2(x), middle), 1))
        x = ops.interpolate(x, size=high.shape[2:], mode="bilinear", align_corners=False)
        return self.head(self.level1(ops.cat((high, x), 1)))


class Attention(nn.Cell):
    """Several heads of attention, their queries, keys and values made by one layer and taken apart."""

    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Dense(size, 3 * size)
        self.proj = nn.Dense(size, size)

    def construct(self, x):
        batch, length, size = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, self.heads, size // self.heads).transpose(2, 0, 3, 1, 4)
        query, key, value = ops.unstack(qkv)
        weights = ops.softmax(ops.matmul(query, key.swapaxes(-1, -2)) * (size // self.heads) ** -0.5)
        return self.proj(ops.matmul(weights, value).transpose(0, 2, 1, 3).reshape(batch, length, size))


class VisionTransformer(nn.Cell):
    """A class token before the patches, positions added, one block, and a head on the class token."""

    input_shape = (2, 3, 32, 32)

    def __init__(self, size=24, heads=4):
        super().__init__()
        self.patches = nn.Conv2d(3, size, 8, stride=8, pad_mode="valid", has_bias=True)
        self.cls_token = Parameter(Tensor(np.zeros((1, 1, size), np.float32)), name="cls_token")
        self.positions = Parameter(Tensor(np.zeros((1, 17, size), np.float32)), name="positions")
        self.norm1 = nn.LayerNorm((size,))
        self.attention = Attention(size, heads)
        self.norm2 = nn.LayerNorm((size,))
        self.mlp = nn.SequentialCell(nn.Dense(size, 4 * size), nn.GELU(), nn.Dense(4 * size, size))
        self.head = nn.Dense(size, 10)

    def construct(self, x):
        x = self.patches(x).flatten(start_dim=2).swapaxes(1, 2)
        first = ops.broadcast_to(self.cls_token, (x.shape[0], 1, x.shape[2]))
        x = ops.cat((first, x), 1) + self.positions
        x = x + self.attention(self.norm1(x))
        return self.head((x + self.mlp(self.norm2(x)))[:, 0])


class Recurrent(nn.Cell):
    """A sequence of vectors through recurrent layers, both ways, and a class from where they end.

    Parameters
    ----------
    kind : type
        `nn.LSTM` or `nn.GRU`.
    """

    input_shape = (2, 6, 10)

    def __init__(self, kind):
        super().__init__()
        self.layers = kind(10, 16, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Dense(32, 5)

    def construct(self, x):
        return self.head(self.layers(x)[0][:, -1])


NETWORKS = {
    "autoencoder": Autoencoder,
    "unet": UNet,
    "vision_transformer": VisionTransformer,
    "lstm_classifier": lambda: Recurrent(nn.LSTM),
    "gru_classifier": lambda: Recurrent(nn.GRU),
}
"""What makes each of them, by name."""


def network(name, rng):
    """Return a network in inference mode, its weights random but of the size that training gives them."""
    return filled(NETWORKS[name](), rng).set_train(False)
