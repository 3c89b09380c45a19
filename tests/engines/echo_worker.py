"""A worker that does what a test tells it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack

from gsjupyter.engines.serving import scratch, serve
from gsjupyter.errors import InputError

_scratch = ExitStack()
_remembered: dict[str, object] = {}


def echo(arrays, **settings):
    return settings, arrays


def remember(arrays, **settings):
    _remembered.update(settings)
    return {"process": os.getpid()}, ()


def recall(arrays):
    return _remembered, ()


def refuse(arrays, *, message, advice):
    raise InputError(message, advice=advice)


def fail(arrays, *, message):
    raise ValueError(message)


def sleep(arrays, *, duration_s):
    time.sleep(duration_s)
    return {}, ()


def end(arrays, *, words, exit_code):
    sys.stderr.write(words)
    sys.stderr.flush()
    os._exit(exit_code)


def leave(arrays, *, data):
    path = _scratch.enter_context(scratch()) / "data"
    path.write_text(data)
    return {"path": str(path)}, ()


def about(arrays, *, variable):
    return {"modules": list(sys.modules), "variable": os.environ.get(variable), "session": os.getsid(0)}, ()


def main(descriptor):
    commands = (echo, remember, recall, refuse, fail, sleep, end, leave, about)
    serve(descriptor, {command.__name__: command for command in commands})
