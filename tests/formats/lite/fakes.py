"""Programs that stand in for the converter where it misbehaves, and the smallest model that it could write."""

import struct

READ_OUTPUT = 'for given in "$@"; do case "$given" in --outputFile=*) output="${given#--outputFile=}";; esac; done\n'


def model_bytes(version="MindSpore Lite 2.3.0", values=b"weights"):
    """Give a FlatBuffers table with the fields that are looked at: the version, and one tensor with values."""
    text = version.encode()
    text += bytes(4 - len(text) % 4)
    tensors = 44 + len(text)
    head = struct.pack("<I4s10Hi2I", 28, b"MSL2", 20, 12, 0, 4, *(5 * [0]), 8, 20, 8, tensors - 36)
    string = struct.pack("<I", len(version)) + text
    tensor = struct.pack("<2I", 1, 4 + 20)
    fields = struct.pack("<9H2x", 18, 8, *(6 * [0]), 4)
    data = struct.pack("<iII", 20, 4, len(values)) + values
    return head + string + tensor + fields + data


def program(place, body):
    """Write a shell script that can be run, and return its path."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{READ_OUTPUT}{body}\n")
    place.chmod(0o755)
    return place
