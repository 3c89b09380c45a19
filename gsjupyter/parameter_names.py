"""Which tensor of a checkpoint belongs to which parameter of a network, by name.

Networks are wrapped for training and unwrapped again, so all names of a file may begin with one name more, or less,
than the network's. What only training needs belongs to no parameter.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

WRAPPERS: Final = ("network", "backbone", "_backbone", "model", "module", "net")
"""What a cell is usually called inside another one that wraps it."""

# The states of MindSpore's optimizers are clones of the parameters under these names (mindspore/nn/optim), the other
# names are single values of optimizers, loss scaling, callbacks and Golden Stick's cells.
_STATES: Final = (
    "accum|accum_update|adam_[mv]|ax_?|exp_avg|exp_avg_sq|exp_inf|lamb_[mv]|linear|max_exp_avg_sq|mean_grad|mean_square|"
    "moment|moment1|moment2|moments|momentum_buf|prev|stat|step_size|vhat"
)
_VALUES: Final = (
    "batch_num|beta[12]_power|choice_func|current_iterator_step|epoch_num|global_step|growth_tracker|"
    "last_overflow_iterator_step|learning_rate(_\\d+)?|loss_scale|lr|moment[12]_power|momentum|network_name|random_op|"
    "scale_sense|state_step|step|step_num|train_network|weight_decay"
)
_STATE: Final = re.compile(rf"({_STATES})\.(.+)")
_VALUE: Final = re.compile(rf"({_VALUES})")
_INTERNAL: Final = re.compile(r"(.+\.)?(temperature|flag_temperature_end_changing|out_index)")


@dataclass(frozen=True)
class Match:
    """How the names of a file and of a network go together.

    Parameters
    ----------
    pairs : tuple of (str, str)
        Parameter and tensor.
    missing : tuple of str
        Parameters without a tensor.
    unexpected : tuple of str
        Tensors without a parameter.
    note : str
        What was changed to make them match; empty if nothing.
    """

    pairs: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    note: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left over on either side."""
        return not self.missing and not self.unexpected


def match_names(
    wanted: Iterable[str],
    given: Iterable[str],
    unread: Iterable[str] = (),
    fits: Callable[[str, str], bool] = lambda parameter, tensor: True,
) -> Match:
    """Match the parameters that a network reads with the tensors of a file.

    Parameters
    ----------
    wanted : iterable of str
        The parameters that the network reads at inference.
    given : iterable of str
        The tensors.
    unread : iterable of str
        Parameters that the network has besides: tensors of these names are no surprise.
    fits : callable
        Says whether a tensor has the shape that a parameter needs. A prefix is only stripped if all do.
    """
    parameters, tensors, known = list(wanted), list(given), set(unread)
    plain = _match(parameters, tensors, known, "", "")
    if plain.is_complete:
        return plain
    for parameter_prefix, tensor_prefix in _prefixes(parameters, tensors):
        found = _match(parameters, tensors, known, parameter_prefix, tensor_prefix)
        if found.is_complete and all(fits(*pair) for pair in found.pairs):
            return found
    return plain


def nearest(name: str, others: Sequence[str]) -> str:
    """Return the name that is most like another one; empty if none is."""
    # Comparing with every name of a large file would take minutes: those that end alike are looked at first.
    ending = name.rpartition(".")[2]
    alike = [other for other in others if other.rpartition(".")[2] == ending] or list(others)
    return next(iter(difflib.get_close_matches(name, alike[:200], 1)), "")


def is_for_training(name: str, tensors: set[str] | frozenset[str] = frozenset()) -> bool:
    """Say whether a tensor belongs to training only.

    Parameters
    ----------
    name : str
        The tensor.
    tensors : set of str
        All tensors of the file: an optimizer's state is one only if the parameter that it is of is there as well.
    """
    state = _STATE.fullmatch(name)
    is_state = state is not None and (not tensors or state[2] in tensors)
    return is_state or _VALUE.fullmatch(name) is not None or _INTERNAL.fullmatch(name) is not None


def _match(
    parameters: Sequence[str], tensors: Sequence[str], unread: set[str], parameter_prefix: str, tensor_prefix: str
) -> Match:
    bare = {name.removeprefix(tensor_prefix): name for name in tensors}
    pairs = [(name, bare.get(name.removeprefix(parameter_prefix))) for name in parameters]
    used = {tensor for _, tensor in pairs}
    everything = frozenset(tensors)
    skipped = unread | {name.removeprefix(parameter_prefix) for name in unread}
    unexpected = [
        name
        for plain, name in bare.items()
        if name not in used and plain not in skipped and name not in skipped and not is_for_training(name, everything)
    ]
    return Match(
        tuple((name, tensor) for name, tensor in pairs if tensor is not None),
        tuple(name for name, tensor in pairs if tensor is None),
        tuple(unexpected),
        _note(parameter_prefix, tensor_prefix),
    )


def _prefixes(parameters: Sequence[str], tensors: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs of prefixes to try: one side's own, or two that are usual names of a wrapped cell."""
    everything = frozenset(tensors)
    of_parameters = _leading(parameters)
    of_tensors = _leading([name for name in tensors if not is_for_training(name, everything)])
    one_sided = [*(("", prefix) for prefix in of_tensors), *((prefix, "") for prefix in of_parameters)]
    usual = [(mine, theirs) for mine in of_parameters for theirs in of_tensors if _is_usual(mine) and _is_usual(theirs)]
    return [*one_sided, *usual]


def _leading(names: Sequence[str]) -> list[str]:
    """Return the prefixes that all names share, whole parts only, the shortest first."""
    if not names:
        return []
    first = names[0].split(".")[:-1]
    prefixes = (".".join(first[: count + 1]) + "." for count in range(len(first)))
    return [prefix for prefix in prefixes if all(name.startswith(prefix) for name in names)]


def _is_usual(prefix: str) -> bool:
    return all(part in WRAPPERS for part in prefix.removesuffix(".").split("."))


def _note(parameter_prefix: str, tensor_prefix: str) -> str:
    mine, theirs = f"network's names begin with {parameter_prefix!r}", f"checkpoint's with {tensor_prefix!r}"
    if parameter_prefix and tensor_prefix:
        return f"the {mine}, the {theirs}: matched without."
    if tensor_prefix:
        return f"the checkpoint's names begin with {tensor_prefix!r}, which the network's don't: matched without."
    return f"the {mine}, which the checkpoint's don't: matched without." if parameter_prefix else ""
