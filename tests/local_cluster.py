"""A real cluster on this machine: a controller and engines of IPython Parallel, in a profile of its own."""

import logging
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ipyparallel
import psutil
import pytest

_START_S = 90.0


class LocalCluster:
    """A cluster whose engines may be killed: `engines` starts new ones in their place."""

    profile = "lab"

    def __init__(self, cluster: ipyparallel.Cluster, client: ipyparallel.Client) -> None:
        self.client = client
        self._cluster = cluster

    def engines(self, count: int) -> list[int]:
        """Have at least so many engines, and return the first ones' numbers."""
        missing = count - len(self.client.ids)
        if missing > 0:
            self._cluster.start_engines_sync(n=missing)
            wait_until(lambda: len(self.client.ids) >= count)
        return self.client.ids[:count]

    def process_of(self, engine: int) -> int:
        """Return the id of an engine's process."""
        return self.client[engine].apply_sync(os.getpid)

    def kill(self, engine: int) -> None:
        """Kill an engine, and wait until everybody knows."""
        os.kill(self.process_of(engine), signal.SIGKILL)
        wait_until(lambda: engine not in self.client.ids)

    def signal_controller(self, number: int) -> None:
        """Send a signal to the controller and its schedulers."""
        controller = psutil.Process(self._cluster.controller.pid)
        for process in (controller, *controller.children(recursive=True)):
            process.send_signal(number)


def wait_until(condition, limit_s=_START_S):
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


@contextmanager
def local_cluster(folder: Path) -> Iterator[LocalCluster]:
    """Start a controller, with no engine yet; its profile and its temporary files are alone in the folder."""
    temporary = folder / "tmp"
    temporary.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder))
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", str(temporary))
        cluster = ipyparallel.Cluster(profile=LocalCluster.profile, cluster_id="", delay=0, log_level=logging.WARNING)
        cluster.start_controller_sync()
        try:
            client = cluster.connect_client_sync()
            try:
                yield LocalCluster(cluster, client)
            finally:
                client.close(linger=0)
        finally:
            cluster.stop_cluster_sync()
