"""Progress, told: a bar where there is a terminal or a notebook, a line per epoch where output goes to a file."""

from __future__ import annotations

import os
import sys
from time import perf_counter

from symcnn.errors import InputError


class Progress:
    """What `fit` tells while it runs.

    Parameters
    ----------
    wanted : bool or str
        ``True`` chooses "bar" or "lines"; ``False`` is silence.
    """

    def __init__(self, wanted: bool | str):
        if wanted not in (True, False, "bar", "lines"):
            raise InputError("progress is one of True, False, 'bar' and 'lines'", found=repr(wanted))
        self.style = ("bar" if _can_redraw() else "lines") if wanted is True else wanted
        self._bar, self._title, self._start = None, "", 0.0

    def start(self, epoch: int, epochs: float, examples: int, done: int = 0) -> None:
        """An epoch (counted from 0) of so many examples begins, or goes on after some of them."""
        number = f"{epoch + 1:>{len(f'{epochs:.0f}')}}/{epochs}" if epochs < float("inf") else f"{epoch + 1}"
        self._title, self._start = f"epoch {number}", perf_counter()
        if self.style == "bar":
            from tqdm.auto import tqdm

            layout = "{desc} {bar:24} {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
            self._bar = tqdm(desc=self._title, total=examples, initial=done, bar_format=layout, mininterval=0.2)

    def advance(self, examples: int, loss: float) -> None:
        """So many examples more are done, and this is the mean loss by now."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            self._bar.update(examples)

    def finish(self, measured: dict[str, float] | None = None) -> None:
        """The epoch is over, or was broken off."""
        text = "  ".join(f"{name} {value:.4f}" for name, value in (measured or {}).items())
        if self._bar is not None:
            if text:
                self._bar.set_postfix_str(text)
            self._bar.close()
            self._bar = None
        elif self.style == "lines" and text:
            print(f"{self._title}  {text}  ({perf_counter() - self._start:.1f} s)", flush=True)

    def say(self, line: str) -> None:
        """Tell one line."""
        if self.style:
            print(line, flush=True)


def _can_redraw() -> bool:
    """Whether what was printed can be overwritten: not if standard output is piped, even if errors are still seen."""
    in_notebook = type(sys.stdout).__module__.startswith("ipykernel")
    if in_notebook or not (sys.stdout.isatty() and sys.stderr.isatty()):
        return in_notebook
    return os.get_terminal_size(sys.stderr.fileno()).columns > 0  # some terminals of programs have no size
