"""The process in which the package mindspore_lite converts: it can't share one with MindSpore.

It is run as a file, by `gsjupyter.formats.lite.conversion`, and imports nothing of gsjupyter.
"""

import json
import sys
from typing import Any


def main(job: dict[str, Any]) -> int:
    """Convert as a job says, and return the exit code."""
    sys.path[:] = job["path"]
    import mindspore_lite as lite  # type: ignore[import-not-found, unused-ignore]  # its path has come with the job

    converter = lite.Converter()
    converter.save_type = lite.ModelType.MINDIR_LITE
    converter.weight_fp16 = job["float16"]
    converter.optimize = job["optimization"]
    if job["input_format"] is not None:
        converter.input_format = getattr(lite.Format, job["input_format"])
    if job["input_shapes"]:
        converter.input_shape = job["input_shapes"]
    converter.convert(lite.FmkType.MINDIR, job["model"], job["output"], "", job["configuration"])
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
