"""Golden Stick in this notebook: once it is imported, its algorithms take networks of the notebook and export rightly.

Nothing happens before `mindspore_gs` is imported, and nothing is imported for it.
"""

from types import ModuleType
from typing import TYPE_CHECKING, Any

from gsjupyter.attachment import Attachment

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from gsjupyter.goldenstick.rewriting import Rewriting


class GoldenStickSupport:
    """What the extension changes for the users of Golden Stick.

    Parameters
    ----------
    shell : InteractiveShell
        Whose networks to take.
    """

    def __init__(self, shell: "InteractiveShell") -> None:
        self._shell = shell
        self._attachment = Attachment()
        self._rewriting: Rewriting | None = None
        actions: dict[str, Callable[[ModuleType], None]] = {
            "mindspore_gs.net_transform": self._transformer_imported,
            "mindspore_gs.quantization.quantization_aware_training": self._algorithm_imported,
            "mindspore_gs.comp_algo": self._base_imported,
        }
        for name, action in actions.items():
            self._attachment.when_imported(name, action)
        shell.events.register("pre_run_cell", self._refresh)

    def detach(self) -> None:
        """Take all changes back; networks that were transformed go on working."""
        self._attachment.undo()
        self._shell.events.unregister("pre_run_cell", self._refresh)

    def _refresh(self, *arguments: Any) -> None:
        if self._rewriting is not None:
            self._rewriting.refresh()

    def _transformer_imported(self, module: ModuleType) -> None:
        self._started().attach_transformer(module)

    def _algorithm_imported(self, module: ModuleType) -> None:
        self._started().attach_algorithm(module)

    def _base_imported(self, module: ModuleType) -> None:
        from gsjupyter.train_end import attach_callback

        attach_callback(self._attachment, module)

    def _started(self) -> "Rewriting":
        from gsjupyter.goldenstick.rewriting import Rewriting

        if self._rewriting is None:
            self._rewriting = Rewriting(self._attachment, self._shell.user_ns)
        return self._rewriting
