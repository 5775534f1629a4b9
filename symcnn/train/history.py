"""What happened during training, epoch by epoch."""

from __future__ import annotations


class History(dict):
    """Lists by name, one value per epoch: ``history["loss"]``, ``history["val_accuracy"]``.

    Examples
    --------
    >>> history = History()
    >>> history.add(loss=0.9, val_accuracy=0.7)
    >>> history.add(loss=0.5, val_accuracy=0.8)
    >>> history["loss"], history.epochs
    ([0.9, 0.5], 2)
    >>> print(history)
    epoch    loss  val_accuracy
        1  0.9000        0.7000
        2  0.5000        0.8000
    """

    def add(self, **values: float) -> None:
        """Append one epoch."""
        for name, value in values.items():
            self.setdefault(name, []).append(value)

    @property
    def epochs(self) -> int:
        return max(map(len, self.values()), default=0)

    def __str__(self):
        columns = [["epoch", *map(str, range(1, self.epochs + 1))]]
        columns += [[name, *(f"{value:.4f}" for value in values)] for name, values in self.items()]
        widths = [max(map(len, column)) for column in columns]
        rows = zip(*columns, strict=True)
        return "\n".join("  ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)) for row in rows)
