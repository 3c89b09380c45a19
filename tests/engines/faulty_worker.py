"""A worker that is measured like an engine's, and goes wrong in a way and at a command that its environment names."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import time
from contextlib import ExitStack

import numpy as np
import psutil

from gsjupyter.engines.serving import scratch, serve

_left_open = ExitStack()


def message(header):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("!Q", len(text)) + text


def arrays(*described):
    return message({"answer": {}, "arrays": list(described)})


NONSENSE = {
    "random bytes": np.random.default_rng(0).bytes(1000),
    "no JSON": message(b"Illegal instruction"),
    "no text": message(b"\xff\xfe\x00"),
    "a list": message([1, 2]),
    "a number": message(5),
    "brackets": message(b"[" * 100_000),
    "no answer": message({"arrays": []}),
    "no object for an answer": message({"answer": 5, "arrays": []}),
    "an error without words": message({"error": {"kind": "EngineError"}, "arrays": []}),
    "no arrays": message({"answer": {}}),
    "arrays that are none": message({"answer": {}, "arrays": 5}),
    "an array without a shape": arrays({"dtype": "<f4"}),
    "an array of objects": arrays({"dtype": "O", "shape": [3]}),
    "an array of an unknown type": arrays({"dtype": "(", "shape": [3]}),
    "an array of negative size": arrays({"dtype": "<f4", "shape": [-1]}),
    "an array of petabytes": arrays({"dtype": "<f8", "shape": [1 << 50]}),
    "an array beyond all numbers": arrays({"dtype": "<f8", "shape": [1 << 60, 1 << 60]}),
    "an array of many axes": arrays({"dtype": "<f8", "shape": [1] * 70}),
    "a header of exabytes": struct.pack("!Q", 1 << 60),
}


def dereference_nothing():
    ctypes.string_at(0)


def signal_itself(number):
    os.kill(os.getpid(), number)
    time.sleep(60)


def fill_memory():
    held = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (held + (64 << 20), held + (64 << 20)))
    return [bytearray(1 << 20) for _ in range(1 << 20)]


def end(words, code):
    sys.stderr.write(words)
    sys.stderr.flush()
    os._exit(code)


def chatter():
    for _ in range(1000):
        sys.stdout.write("W tensorflow/core: everything is fine\n" * 20)


def leave_a_child():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    dereference_nothing()


def leave_a_fork():
    if os.fork() == 0:
        # It holds this end of the pipe.
        time.sleep(60)
    dereference_nothing()


FAULTS = {
    "dereferences nothing": dereference_nothing,
    "is signalled": lambda: signal_itself(signal.SIGSEGV),
    "is killed": lambda: signal_itself(signal.SIGKILL),
    "is stopped": lambda: signal_itself(signal.SIGSTOP),
    "fills the memory": fill_memory,
    "throws bad_alloc": lambda: end("terminate called after throwing an instance of 'std::bad_alloc'\n", 6),
    "hangs": lambda: time.sleep(60),
    "exits": lambda: end("no license\n", 3),
    "chatters": chatter,
    "leaves a child": leave_a_child,
    "leaves a fork": leave_a_fork,
}


class Engine:
    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.at, _, self.fault = os.environ.get("FAULT", "").partition(":")

    def commands(self):
        return {name: getattr(self, name) for name in ("ready", "load", "first_run", "timed", "resources", "operators")}

    def goes_wrong(self, command):
        if command != self.at:
            return
        # What it has written must go with it.
        (_left_open.enter_context(scratch()) / "half a model").write_text("half")
        if self.fault in FAULTS:
            FAULTS[self.fault]()
        elif self.fault == "closes the pipe":
            os.close(self.descriptor)
            time.sleep(60)
        elif self.fault == "half a message":
            os.write(self.descriptor, message({"answer": {}})[:12])
            time.sleep(60)
        elif self.fault == "half an array":
            os.write(self.descriptor, arrays({"dtype": "<f8", "shape": [1000]}) + b"0" * 100)
            time.sleep(60)
        else:
            os.write(self.descriptor, NONSENSE[self.fault])

    def ready(self, given, **settings):
        self.goes_wrong("ready")
        return {}, ()

    def load(self, given, **settings):
        self.goes_wrong("load")
        about = {"inputs": [{"name": "x", "dtype": "float32", "shape": [1]}], "outputs": [], "providers": []}
        return {**about, **({} if self.fault == "forgets" else {"load_s": 0.1})}, ()

    def first_run(self, given):
        self.goes_wrong("first_run")
        return {"duration_s": 0.1}, given

    def timed(self, given, *, duration_s, least_runs):
        self.goes_wrong("timed")
        return {}, [] if self.fault == "forgets" else [np.array([0.1])]

    def resources(self, given):
        self.goes_wrong("resources")
        return {"host_memory_bytes": 5, **({"colour": "blue"} if self.fault == "forgets" else {})}, ()

    def operators(self, given, *, runs):
        self.goes_wrong("operators")
        return {} if self.fault == "forgets" else {"operators": []}, ()


def main(descriptor):
    serve(descriptor, Engine(descriptor).commands())
