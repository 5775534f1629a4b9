"""Checkpoints: a run that was killed goes on as if nothing had happened."""

from __future__ import annotations

import warnings
from pathlib import Path

from symcnn.errors import FileError, InputError
from symcnn.keywords import checked_count
from symcnn.paths import as_path
from symcnn.train import checkpoint_file
from symcnn.train.callback import Callback, Run
from symcnn.train.run_state import restore, snapshot
from symcnn.train.snapshot import all_finite


class Checkpoints(Callback):
    """Write all that a run needs to go on to a folder, so that ``fit(..., resume=folder)`` continues it to the bit.

    Parameters
    ----------
    folder : str or pathlib.Path
        Of this run alone; made if it does not exist. A checkpoint is one file, ``step-00001200.safetensors``, written
        atomically.
    every : int, optional
        Write after every so many steps.
    keep : int
        How many checkpoints to keep; older ones are deleted.
    at_epoch_end : bool
        Write after every epoch.

    Raises
    ------
    InputError
        If a number is out of range, or the folder holds checkpoints of another run.
    FileError
        If the folder cannot be written to.

    Notes
    -----
    One is also written when the run ends, by Ctrl-C as well, but none with weights that are NaN or infinite. Other callbacks are called first, whatever their order, so
    that their states are of the same moment.

    Examples
    --------
    >>> import tempfile, numpy as np, symcnn as sc
    >>> folder, data = tempfile.mkdtemp(), (np.eye(8), np.arange(8))
    >>> def run(epochs, **options):
    ...     model = sc.models.mlp([8, 4, 8], seed=0)
    ...     return sc.train.fit(model, data, epochs=epochs, batch_size=2, device="reference", progress=False, **options)
    >>> first = run(2, callbacks=[Checkpoints(folder)])
    >>> both = run(3, callbacks=[Checkpoints(folder)], resume=folder)  # one epoch more
    >>> both["loss"] == run(3)["loss"]
    True
    """

    def __init__(self, folder, every: int | None = None, keep: int = 3, at_epoch_end: bool = True):
        for name, value in {"every": every, "keep": keep}.items():
            if value is not None:
                checked_count(f"Checkpoints: {name}", value)
        self.folder, self.every, self.keep, self.at_epoch_end = as_path(folder), every, keep, at_epoch_end
        self._written = 0  # steps done in the latest

    def on_start(self, run):
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.folder} cannot be made: {error.strerror}") from None
        if checkpoint_file.checkpoints(self.folder) and run.resumed_from != self.folder.resolve():
            raise InputError(
                f"{self.folder} holds checkpoints of another run",
                hint=f"continue it with fit(..., resume={str(self.folder)!r}), or choose another folder",
            )
        for half in self.folder.glob(".step-*.safetensors.*"):  # a process was killed while it wrote this
            half.unlink(missing_ok=True)
        self._written = run.steps_done

    def on_step(self, run):
        if run.stopped or (self.every and run.steps_done % self.every == 0):
            self._write(run)

    def on_epoch(self, run):
        if self.at_epoch_end and run.epoch_is_over:
            self._write(run)

    def on_end(self, run):
        if self._written != run.steps_done:
            self._write(run)

    def _write(self, run):
        if not run.exact or not all_finite(run.model.variables()):
            return  # the latest good one is worth more
        checkpoint_file.write(checkpoint_file.path_of(self.folder, run.steps_done), *snapshot(run))
        self._written = run.steps_done
        # A damaged one may have a larger number than this: it does not count, so that a good one is always kept.
        found = checkpoint_file.checkpoints(self.folder).items()
        written = [path for steps, path in found if steps <= run.steps_done]
        for path in written[self.keep :]:
            path.unlink(missing_ok=True)


def resume(run: Run, folder) -> None:
    """Continue from the newest good checkpoint in `folder`; a folder without any leaves `run` at its start.

    Raises
    ------
    FileError
        If no checkpoint can be read, or they are of another run.
    """
    folder = Path(folder)
    run.resumed_from = folder.resolve()
    damaged = []
    for path in checkpoint_file.checkpoints(folder).values():
        try:
            arrays, state = checkpoint_file.read(path)
        except FileError as error:
            damaged.append(error)
            continue
        restore(run, path, arrays, state)
        for error in damaged:
            warnings.warn(f"{error.what}; resumed from {path.name} instead", stacklevel=2)
        run.say(f"resumed {run.position}, from {path}")
        return
    if damaged:
        raise FileError(
            f"no checkpoint in {folder} can be read: {damaged[0].what}",
            found=damaged[0].found,
            hint="delete them to begin anew",
        )
