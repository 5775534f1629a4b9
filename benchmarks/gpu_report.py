"""What was measured on a GPU, as one file that is whole at any moment: a run that is cut off leaves what it has."""

from __future__ import annotations

import json
import os
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path


class Deadline:
    """A moment in the future."""

    def __init__(self, seconds: float):
        self.end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, not below 0."""
        return max(0.0, self.end - time.monotonic())

    @property
    def over(self) -> bool:
        return self.left == 0.0


@dataclass(frozen=True)
class Target:
    """What was to be reached.

    Attributes
    ----------
    name : str
    wanted : float
    found : float or None
        ``None`` if it could not be measured.
    at_most : bool
        Whether less is better.
    """

    name: str
    wanted: float
    found: float | None
    at_most: bool = True

    @property
    def reached(self) -> bool | None:
        if self.found is None:
            return None
        return self.found <= self.wanted if self.at_most else self.found >= self.wanted

    def as_json(self) -> dict:
        return {
            "target": self.name,
            "wanted": f"{self.sign} {self.wanted:g}",
            "found": self.found,
            "reached": self.reached,
        }

    @property
    def sign(self) -> str:
        return "<=" if self.at_most else ">="

    def __str__(self):
        found = "-" if self.found is None else f"{self.found:.2f}"
        said = {True: "reached", False: "MISSED", None: "not measured"}[self.reached]
        return f"{self.name:<58} {self.sign} {self.wanted:<5g} {found:>7}  {said}"


@dataclass
class Report:
    """The content of the file, section by section.

    Attributes
    ----------
    path : Path
    content : dict
    targets : list of Target
    """

    path: Path
    content: dict
    targets: list[Target] = field(default_factory=list)

    def section(self, name: str, seconds: float, work) -> None:
        """Let ``work(section, deadline)`` fill a section and return targets; what it raises is written down, and the others
        go on."""
        print(f"\n== {name} (up to {seconds:.0f} s)", flush=True)
        section = self.content.setdefault("sections", {}).setdefault(name, {"status": "cut off"})
        start = time.monotonic()
        self.save()
        try:
            self.targets += work(section, Deadline(seconds)) or ()
            section["status"] = "done"
        except Exception as error:
            section.update(status="failed", error=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
            print(f"failed: {section['error']}", flush=True)
        section["seconds"] = round(time.monotonic() - start, 1)
        self.save()

    def save(self) -> None:
        """Write everything; who reads meanwhile sees the file of before."""
        self.content["targets"] = [t.as_json() for t in self.targets]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        beside.write_text(json.dumps(self.content, indent=1, default=str) + "\n")
        beside.replace(self.path)

    @property
    def failures(self) -> list[str]:
        """The sections that failed, or whose checks did."""
        sections = self.content.get("sections", {})
        return [name for name, found in sections.items() if found["status"] != "done" or found.get("wrong")]
