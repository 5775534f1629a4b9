"""Event files for TensorBoard: curves in the browser while the training runs."""

from __future__ import annotations

from typing import Any

from symcnn.errors import FileError, PackageError
from symcnn.keywords import checked_count
from symcnn.paths import as_path
from symcnn.train.callback import Callback


class TensorBoardLog(Callback):
    """Write the loss and what is measured to a folder that ``tensorboard --logdir`` shows.

    Needs the package tensorboardX: ``pip install 'symcnn[tensorboard]'``. To look at the files, install TensorBoard.

    Parameters
    ----------
    folder : str or pathlib.Path
        Of this run; TensorBoard compares the runs that lie side by side in one folder.
    every : int, optional
        Write the loss of every so many steps as well, as ``step/loss``.

    Raises
    ------
    PackageError
        If tensorboardX is not installed.
    FileError
        If the folder cannot be written to.

    Notes
    -----
    The horizontal axis counts steps. ``loss`` and ``val_loss`` are ``loss/train`` and ``loss/val``, so that they stand side by
    side. A resumed run tells TensorBoard to forget what was written after the checkpoint.

    Examples
    --------
    ::

        sc.train.fit(model, train, validation, callbacks=TensorBoardLog("runs/lenet", every=10))
        # and in a terminal: tensorboard --logdir runs
    """

    def __init__(self, folder, every: int | None = None):
        if every is not None:
            checked_count("TensorBoardLog: every", every)
        _writer_class()
        self.folder, self.every = as_path(folder), every
        self._writer: Any = None

    def on_start(self, run):
        forget = run.steps_done + 1 if run.resumed else None
        try:
            self._writer = _writer_class()(str(self.folder), purge_step=forget)
        except OSError as error:
            raise FileError(f"{self.folder} cannot be written to: {error.strerror}") from None

    def on_step(self, run):
        if self.every and run.steps_done % self.every == 0:
            self._writer.add_scalar("step/loss", run.loss, run.steps_done)

    def on_epoch(self, run):
        for name, value in run.metrics.items():
            self._writer.add_scalar(_tag(name, run.metrics), value, run.steps_done)
        self._writer.flush()

    def on_end(self, run):
        self._writer.close()


def _tag(name: str, metrics) -> str:
    """`val_loss` stands beside `loss`: TensorBoard draws together what is before the slash."""
    if name.startswith("val_"):
        return f"{name.removeprefix('val_')}/val"
    return f"{name}/train" if f"val_{name}" in metrics or name == "loss" else name


def _writer_class():
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise PackageError(
            "TensorBoardLog needs the package tensorboardX", hint="pip install 'symcnn[tensorboard]'"
        ) from None
    return SummaryWriter
