"""What happened during training, epoch by epoch."""

from __future__ import annotations

import json
from typing import Never

from symcnn.errors import FileError
from symcnn.keywords import nearest
from symcnn.nn.weights import write_atomically
from symcnn.paths import as_path


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

    def __missing__(self, name):
        wanted = (
            " it is measured on a validation set: fit(model, train, validation, ...);"
            if str(name)[:4] == "val_"
            else ""
        )
        raise KeyError(f"no {name!r} in the history;{wanted} {nearest(str(name), self)}")

    def __getattr__(self, name: str) -> Never:
        raise AttributeError(f"a History has no {name!r}: it is the dict itself, history['loss']")

    @property
    def epochs(self) -> int:
        return max(map(len, self.values()), default=0)

    def save(self, path) -> None:
        """Write it to a JSON file, atomically; every number is read back as it was."""
        content = {name: [float(value) for value in values] for name, values in self.items()}
        write_atomically(path, json.dumps({"history": content}, indent=1).encode())

    @classmethod
    def load(cls, path) -> History:
        """Read what `save` wrote.

        Raises
        ------
        FileError
            If the file is missing, damaged or something else.
        """
        path = as_path(path)
        try:
            content = json.loads(path.read_bytes())
        except OSError as error:
            raise FileError(f"{path} cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise FileError(f"{path} is damaged or no JSON", found=str(error)) from None
        found = content.get("history") if isinstance(content, dict) else None
        if not isinstance(found, dict) or not all(_are_numbers(values) for values in found.values()):
            raise FileError(
                f"{path} holds no history", expected="lists of numbers by name, as history.save writes them"
            )
        return cls(found)

    def __str__(self):
        columns = [["epoch", *map(str, range(1, self.epochs + 1))]]
        columns += [[name, *(f"{value:.4f}" for value in values)] for name, values in self.items()]
        widths = [max(map(len, column)) for column in columns]
        rows = zip(*columns, strict=True)
        return "\n".join("  ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)) for row in rows)


def _are_numbers(values) -> bool:
    return isinstance(values, list) and all(type(value) in (int, float) for value in values)
