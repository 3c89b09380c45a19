"""Weights and activations of every kind that a sketch may meet."""

from __future__ import annotations

import numpy as np


def weights(rng):
    """Return weights by name, output channels first."""
    pruned = rng.standard_normal((128, 576))
    pruned[rng.random(pruned.shape) < 0.9] = 0
    cases = {
        "normal": rng.standard_normal((256, 1152)),
        "Student t, 3 degrees": rng.standard_t(3, (256, 576)),
        "Laplace": rng.laplace(size=(64, 576)),
        "even": rng.uniform(-1, 1, (64, 576)),
        "pruned": pruned,
        "LeNet's first layer": rng.standard_normal((6, 1, 5, 5)),
        "depthwise": rng.standard_normal((960, 1, 3, 3)),
        "channels of different size": rng.standard_normal((64, 288)) * np.exp(2 * rng.standard_normal((64, 1))),
        "channels of equal values": np.repeat(rng.standard_normal((32, 1)), 64, axis=1),
        "one value": np.full((8, 64), 0.3),
        "five levels": rng.integers(-2, 3, (64, 288)) * 0.1,
        "positive": np.abs(rng.standard_normal((64, 200))),
        "far from zero": rng.standard_normal((64, 288)) + 1.5,
        "a channel of zeros": rng.standard_normal((4, 50)) * [[1], [0], [2], [0]],
    }
    return {name: values.astype(np.float32) for name, values in cases.items()}


def activations(rng):
    """Return activations by name."""
    normal = rng.standard_normal(60_000)
    cases = {
        "normal": normal,
        "ReLU": np.maximum(normal, 0),
        "ReLU6": np.clip(3 * normal, 0, 6),
        "GELU": normal / (1 + np.exp(-1.702 * normal)),
        "sigmoid": 1 / (1 + np.exp(-normal)),
        "Student t, 3 degrees": rng.standard_t(3, 60_000),
        "negative": -np.abs(normal),
        "far from zero": normal + 10,
        "an image": rng.integers(0, 256, 30_000) / 255 - 0.45,
        "one outlier": np.append(normal, 100),
        "few": rng.standard_normal(40),
    }
    return {name: values.astype(np.float32) for name, values in cases.items()}
