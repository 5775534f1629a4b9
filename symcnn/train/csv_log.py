"""The history as a CSV file, for spreadsheets and pandas, that is up to date after every epoch."""

from __future__ import annotations

import csv
import io

from symcnn.nn.weights import write_atomically
from symcnn.paths import as_path
from symcnn.train.callback import Callback


class CSVLog(Callback):
    """Write the history to a CSV file after every epoch: a row per epoch, a column per measured value.

    The file is replaced as a whole each time. So a reader never sees half a row, and a run that is resumed has every
    epoch once.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder must exist.

    Raises
    ------
    FileError
        If it cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np, symcnn as sc
    >>> path = pathlib.Path(tempfile.mkdtemp(), "log.csv")
    >>> history = sc.train.fit(sc.models.mlp([4, 4]), (np.eye(4), np.arange(4)), epochs=2, callbacks=CSVLog(path),
    ...                        device="reference", progress=False)
    >>> print(path.read_text())
    epoch,loss,learning_rate,seconds
    1,...,0.01,...
    2,...,0.01,...
    """

    def __init__(self, path):
        self.path = as_path(path)

    def on_start(self, run):
        self._write(run.history)  # at once, so that a path that cannot be written is noticed now

    def on_epoch(self, run):
        self._write(run.history)

    def _write(self, history):
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["epoch", *history])
        rows.writerows(zip(range(1, history.epochs + 1), *history.values(), strict=True))
        write_atomically(self.path, text.getvalue().encode())
