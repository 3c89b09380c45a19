"""ONNX Runtime in a plain loop, without gsjupyter: so many seconds for each line it reads."""

import json
import sys
from time import perf_counter

import numpy as np
import onnxruntime


def main():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(sys.argv[2])
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: np.load(sys.argv[3])}
    for line in sys.stdin:
        durations_s = []
        end = perf_counter() + float(line)
        while perf_counter() < end:
            begin = perf_counter()
            session.run(None, feed)
            durations_s.append(perf_counter() - begin)
        sys.stdout.write(json.dumps(durations_s) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
