import json
import os
import signal
import tempfile
from pathlib import Path

import numpy as np
import psutil
import pytest

import gsjupyter as gs
from gsjupyter import remote_gains
from gsjupyter.cluster import engine_folder
from gsjupyter.errors import ClusterError
from tests.local_cluster import local_cluster
from tests.networks import MLP, filled, random_input

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with local_cluster(tmp_path_factory.mktemp("ipython")) as cluster:
        yield cluster


@pytest.fixture
def x(rng):
    return random_input(MLP, rng)


@pytest.fixture
def network(rng):
    return filled(MLP(), rng)


def costs(found):
    return [[cost.contributions[bits] for bits in found.choices[0].bits] for cost in found.model.layers]


def nothing_is_left(processes):
    children = [child for process in processes for child in psutil.Process(process).children(recursive=True)]
    workers = [child for child in children if "onnxruntime_worker" in " ".join(child.cmdline())]
    return workers == [] and list(Path(tempfile.gettempdir()).glob("*gsjupyter*")) == []


def test_engines_measure_what_this_machine_measures(lab, network, x, monkeypatch):
    processes = [lab.process_of(engine) for engine in lab.engines(1)]
    here = gs.sensitivity(network, x)
    monkeypatch.setattr("gsjupyter.layer_gains.counted", refuse)
    there = gs.sensitivity(network, x, cluster=lab.client)
    np.testing.assert_allclose(costs(there), costs(here), rtol=1e-3)
    assert there.measurement.runs == here.measurement.runs
    assert nothing_is_left(processes)


def refuse(items, *_):
    assert list(items) == [], "nothing is left to do here"
    return ()


def test_what_a_lost_engine_leaves_is_measured_here(lab, network, x, monkeypatch):
    lab.engines(1)
    victims = [lab.process_of(engine) for engine in lab.client.ids]
    answers = []

    def read(answer):
        answers.append(float(answer))
        if len(answers) == 2:
            for victim in victims:
                os.kill(victim, signal.SIGKILL)
        return answers[-1]

    here = gs.sensitivity(network, x)
    monkeypatch.setattr(remote_gains, "_read", read)
    there = gs.sensitivity(network, x, cluster=lab.profile)
    assert 2 <= len(answers) < here.measurement.runs - 2
    np.testing.assert_allclose(costs(there), costs(here), rtol=1e-3)
    assert there.measurement.runs == here.measurement.runs


@pytest.mark.parametrize("answer", ["", "nan", "-1", "__import__('os')"])
def test_an_answer_that_is_no_error_power_is_refused(answer):
    with pytest.raises(ClusterError, match="instead of an error power"):
        remote_gains._read(answer)


def test_a_network_whose_client_died_is_closed_with_the_next(network, x, tmp_path):
    model = gs.convert(network, x).float_model
    opened = []
    for _ in range(2):
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        work = remote_gains._Work(model, [x], [], folder)
        token = engine_folder.make_folder()
        for name, path in work._files.items():
            engine_folder.receive(token, name, 0, path.read_bytes())
        remote_gains.open_network(token, json.dumps({"model": work._model, "example": list(work._example)}))
        opened.append(token)
        assert list(remote_gains._open) == [token]
        if len(opened) == 1:
            engine_folder.remove_folder(token)
    remote_gains.close_network(opened[1])
    assert remote_gains._open == {}
