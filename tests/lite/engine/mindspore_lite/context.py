"""On what, and with how many threads, a model runs."""

from mindspore_lite._checks import check_choice, check_items, check_type


class _Device:
    """The settings of one kind of device."""

    def __init__(self) -> None:
        self._precision_mode = "enforce_fp32"

    @property
    def precision_mode(self) -> str:
        """Whether it computes in float32 or, where it can, in float16."""
        return self._precision_mode

    @precision_mode.setter
    def precision_mode(self, mode: str) -> None:
        check_type("precision_mode", mode, str)
        check_choice("precision_mode", mode, ("enforce_fp32", "preferred_fp16"))
        self._precision_mode = mode


class _Processor(_Device):
    """The settings of the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self._thread_num = 2
        self.inter_op_parallel_num = 0
        self.thread_affinity_mode = 0

    @property
    def thread_num(self) -> int:
        """How many threads it takes."""
        return self._thread_num

    @thread_num.setter
    def thread_num(self, number: int) -> None:
        check_type("cpu_thread_num", number, int)
        if number < 0:
            raise ValueError("cpu_thread_num must be a non-negative int.")
        self._thread_num = number


class _Accelerator(_Device):
    """The settings of a GPU or an NPU."""

    def __init__(self) -> None:
        super().__init__()
        self.device_id = 0


class Context:
    """On what a model runs; the CPU unless `target` names something else."""

    def __init__(self) -> None:
        self.cpu = _Processor()
        self.gpu = _Accelerator()
        self.ascend = _Accelerator()
        self._target = ["cpu"]

    def __str__(self) -> str:
        return f"target: {self.target}."

    @property
    def target(self) -> list[str]:
        """The kinds of devices: ``cpu``, ``gpu``, ``ascend``."""
        return self._target

    @target.setter
    def target(self, target: list[str]) -> None:
        target = target or ["cpu"]
        check_items("target", target, str)
        for item in target:
            check_choice("target elements", item.lower(), ("cpu", "gpu", "ascend"))
        self._target = target
