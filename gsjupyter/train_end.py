"""Export at the end of training: the trained network becomes a file in the same run, with nothing to forget.

Also what takes the place of Golden Stick's own export at the end of training, which writes BatchNorm in training mode
and the operators of its simulation, and asks for a column called ``image``.
"""

from pathlib import Path
from types import ModuleType
from typing import Any

from mindspore import nn
from mindspore.train.callback import Callback

from gsjupyter.artifact import Artifact, export
from gsjupyter.attachment import Attachment
from gsjupyter.conversion import convert
from gsjupyter.errors import EngineError, GsError, InputError, OptionError
from gsjupyter.export_formats import checked_target
from gsjupyter.options import options_from
from gsjupyter.training import example_from, trained_network


class ExportOnTrainEnd(Callback):  # type: ignore[misc]  # MindSpore has no types
    """A callback for ``model.train`` that converts and exports the network once it is trained.

    A failure at the end of training is printed and kept in `error`, not raised: what comes after the training, saving a
    checkpoint for example, must not be lost to it. The network is left exactly as it was trained.

    Parameters
    ----------
    path : str or Path
        Where to write; the suffix says the format.
    example : Tensor, ndarray or tuple of these, optional
        One batch of the network's input. By default the first batch of the training dataset: as many of its first
        columns as the network takes, whatever they are called.
    network : nn.Cell, optional
        What to export, for models whose network computes the loss as well. By default the network that was given to the
        model, looked for inside MindSpore's wrappers for loss and training.
    format : {"mindir", "onnx", "ms"}, optional
        The file format; by the path's suffix if left out.
    overwrite : bool
        Whether to replace a file that is there.
    **options
        The options of `gsjupyter.convert`: weights, activations, calibration, keep, and so on.

    Attributes
    ----------
    error : GsError or None
        Why nothing was written, if that is so.

    Raises
    ------
    OptionError, WriteError
        At once, before anything is trained: if an option is wrong, or the file exists.

    Examples
    --------
    >>> callback = gs.ExportOnTrainEnd("lenet.mindir", weights="int8")
    >>> model.train(10, dataset, callbacks=[callback])
    >>> callback.artifact
    """

    def __init__(
        self,
        path: str | Path,
        example: Any = None,
        *,
        network: nn.Cell | None = None,
        format: str | None = None,  # noqa: A002 - as in export
        overwrite: bool = False,
        **options: Any,
    ) -> None:
        super().__init__()
        checked_target(path, format, overwrite=overwrite)
        fields = {name: value for name, value in options.items() if name not in ("calibration", "keep", "options")}
        options_from(fields, options.get("keep", ()))
        self.error: GsError | None = None
        self._artifact: Artifact | None = None
        self._path = path
        self._example = example
        self._network = network
        self._format = format
        self._overwrite = overwrite
        self._options = options

    @property
    def artifact(self) -> Artifact:
        """What was exported.

        Raises
        ------
        GsError
            If nothing was: the reason.
        """
        if self._artifact is not None:
            return self._artifact
        if self.error is not None:
            raise self.error
        raise OptionError(
            f"{self._path} isn't exported yet.",
            advice="It is at the end of model.train(..., callbacks=[callback]), if that isn't interrupted.",
        )

    def on_train_end(self, run_context: Any) -> None:
        """Convert and export; called by MindSpore."""
        self._artifact, self.error = None, None
        try:
            self._export(run_context.original_args())
        except GsError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training must not be lost to it
            self._failed(EngineError(f"{type(error).__name__}: {error}"))

    def _export(self, training: Any) -> None:
        network = self._network if self._network is not None else self._chosen(trained_network(training))
        example = self._example if self._example is not None else example_from(training, network)
        print(f"Exporting {type(network).__name__} to {self._path}.")  # noqa: T201 - a callback speaks to its user
        conversion = convert(network, example, **self._options)
        artifact = export(conversion, self._path, format=self._format, overwrite=self._overwrite)
        self._artifact = artifact
        notes = "".join(f"\n{note}" for note in conversion.notes)
        print(f"{artifact.path}: {conversion.name}, {conversion.formats}, {conversion.verification}{notes}")  # noqa: T201

    def _chosen(self, network: nn.Cell) -> nn.Cell:
        return network

    def _failed(self, error: GsError) -> None:
        self.error = error
        print(f"{self._path} was not exported; the training is complete. {error}")  # noqa: T201


class _ExportForAlgorithm(ExportOnTrainEnd):
    """The export that a user asked Golden Stick for."""

    def __init__(self, path: str, algorithm: Any) -> None:
        # Golden Stick replaces a file of that name, and adds the suffix.
        super().__init__(path if path.endswith(".mindir") else f"{path}.mindir", overwrite=True)
        self._algorithm = algorithm

    def _chosen(self, network: nn.Cell) -> nn.Cell:
        """Return what an algorithm of the user's own makes of the trained network.

        Its ``convert`` is the only one who knows what it put in. Golden Stick's own are not called: they change the
        network in place and leave their operators in it, while our conversion starts from the network as it trained.
        """
        method = type(self._algorithm).convert
        if method.__module__.partition(".")[0] == "mindspore_gs":
            return network
        converted = self._algorithm.convert(network)
        # A convert that is only ``pass`` is a no-op too.
        if converted is None:
            return network
        if not isinstance(converted, nn.Cell):
            raise InputError(
                f"{type(self._algorithm).__name__}.convert returned {type(converted).__name__}, not a network.",
                advice="It must return the network to export, or the one that it was given.",
            )
        return converted


def attach_callback(attachment: Attachment, module: ModuleType) -> None:
    """Let the callback of ``mindspore_gs.comp_algo`` export as we do."""

    def on_train_end(callback: Any, run_context: Any) -> None:
        ours = _ExportForAlgorithm(callback._save_mindir_path, callback._algo)  # noqa: SLF001 - it has no other way
        ours.on_train_end(run_context)
        callback.artifact = None if ours.error is not None else ours.artifact

    attachment.replace(module.ExportMindIRCallBack, "on_train_end", on_train_end)
