"""The table in the README: what Golden Stick alone gives of each algorithm and form, and what gsjupyter gives.

Each entry is found out here. If the README says something else, the table is written anew, and the test fails once.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn

import gsjupyter as gs
from tests.goldenstick import pruned
from tests.goldenstick.compressed import compressed
from tests.goldenstick.versions import ON_ONE_VERSION
from tests.ptq.layouts import quantized

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- written by tests/goldenstick/test_readme_table.py -->\n", "<!-- until here -->\n"
HEADER = "| algorithm | form | Golden Stick alone, on a CPU | gsjupyter | parameters |\n|---|---|---|---|---|\n"
QUANTIZED = {
    "SimQAT": "SimQAT",
    "SimQAT, BatchNorm folded": "SimQAT with BatchNorm folded",
    "SimQAT, BatchNorm kept": "SimQAT with BatchNorm kept",
    "LSQ": "LSQ",
    "SLB, 1 bit": "SLB 1 bit",
    "SLB, 4 bit": "SLB 4 bit",
    "SLB, 4 bit, with activations": "SLB 4 bit with activations",
}
DIGITS = np.random.default_rng(3).normal(0, 1, (4, 1, 12, 12)).astype(np.float32)
IMAGES = np.random.default_rng(3).normal(0, 1, pruned.IMAGE).astype(np.float32)

pytestmark = [
    pytest.mark.slow,
    ON_ONE_VERSION,  # sizes differ by the version of MindSpore
]


def rng():
    return np.random.default_rng(7)


def alone(network, x, folder):
    """Say what becomes of a network that is exported as it is."""
    try:
        mindspore.export(network, Tensor(x), file_name=str(folder / "alone"), file_format="MINDIR")
    except (RuntimeError, TypeError, ValueError) as error:
        return f"can't be exported: {type(error).__name__}"
    runner = nn.GraphCell(mindspore.load(str(folder / "alone.mindir")))
    try:
        outputs = runner(Tensor(x)).asnumpy()
    except (RuntimeError, TypeError, ValueError) as error:
        operator = re.search(r"Unsupported op \[(\w+)\]", str(error))
        return f"can't run: no kernel for {operator.group(1)}" if operator else "can't run"
    nodes = {node.op for node in gs.convert(folder / "alone.mindir", x).source.graph().nodes()}
    masks = ", masks computed at each call" if "TensorScatterUpdate" in nodes else ""
    return f"runs{masks}" if np.isfinite(outputs).all() else "runs, to NaN"


def row(algorithm, form, without, conversion, bytes_before=None):
    pruning = conversion.pruning
    parts = [conversion.formats] if conversion.formats != "float32" else []
    if pruning is not None:
        left = pruning.parameters_after / pruning.parameters_before
        parts.append(f"channels removed, {left:.0%} of the parameters, {pruning.masks_left} masks")
    assert conversion.verification.sqnr_db > 90
    size = conversion.model.parameter_bytes / (bytes_before or conversion.source.parameter_bytes)
    return f"| {algorithm} | {form} | {without} | runs: {', '.join(parts) or 'standard operators'} | {size:.0%} |\n"


def quantized_rows(folder):
    for title, name in QUANTIZED.items():
        for form in ("training", "after its convert"):

            def source(name=name, form=form):
                algorithm, network = compressed(name, rng())
                return network if form == "training" else algorithm.convert(network)

            yield row(title, form, alone(source(), DIGITS, folder), gs.convert(source(), DIGITS))


def pruned_rows(folder):
    sources = {
        ("SCOP", "knockoff phase"): lambda: pruned.in_knockoff_phase(rng()),
        ("SCOP", "fine-tune phase, half of the channels"): lambda: pruned.in_fine_tune_phase(rng(), 0.5),
        ("Ghost", "trained"): lambda: pruned.with_ghost_modules(rng()),
    }
    for (title, form), source in sources.items():
        yield row(title, form, alone(source().set_train(False), IMAGES, folder), gs.convert(source(), IMAGES))
    masked = pruned.wrapped_by_unipruner(folder)
    masked.conv1.out_mask.set_data(Tensor(np.array([1, 0] * 4, np.int8)))
    masked.conv2.in_mask.set_data(Tensor(np.array([1, 0] * 4, np.int8)))
    yield row("UniPruner", "masks set", alone(masked.set_train(False), IMAGES, folder), gs.convert(masked, IMAGES))


class OneLayer(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(64, 48)

    def construct(self, x):
        return self.fc(x)


def saved_rows(folder):
    x = np.random.default_rng(3).normal(0, 1, (4, 64)).astype(np.float32)
    for bits, group in ((8, 0), (4, 16)):
        network, path = OneLayer(), folder / f"{bits}-{group}.safetensors"
        integers, scale, offset, _ = quantized(rng(), 48, 64, bits, group)
        tensors = {"fc.weight": integers, "fc.weight_scale": scale, "fc.weight_offset": offset}
        saved = [{"name": name, "data": Tensor(values)} for name, values in tensors.items()]
        bias = {"name": "fc.bias", "data": Tensor(np.zeros(48, np.float32))}
        mindspore.save_checkpoint([*saved, bias], str(path), format="safetensors")
        try:
            mindspore.load_param_into_net(network, mindspore.load_checkpoint(str(path), format="safetensors"))
            without = "can be loaded"
        except (RuntimeError, TypeError, ValueError):
            without = "can't be loaded into the network"
        conversion = gs.convert(network, x, ckpt=path)
        title = f"PTQ, RoundToNearest, {bits} bit" + (f", groups of {group}" if group else "")
        yield row(title, "checkpoint", without, conversion, gs.convert(network, x).source.parameter_bytes)


def test_the_table_in_the_readme_is_what_is_found_out_here(tmp_path):
    rows = [*quantized_rows(tmp_path), *pruned_rows(tmp_path), *saved_rows(tmp_path)]
    table = HEADER + "".join(rows)
    text = README.read_text("utf-8")
    before, rest = text.split(BEGIN)
    written, after = rest.split(END)
    if written.strip() != table.strip():
        if "CI" not in os.environ:
            README.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")
        pytest.fail("the table in the README was not what is found out here, and has been written anew")
