"""The sections of `benchmarks.gpu` that use the GPU themselves, each in a process of its own: a fault on a GPU is the end of
the process that caused it, and must not be the end of the others.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import asdict
from pathlib import Path

from benchmarks import gpu_checks, gpu_limits, gpu_networks
from benchmarks.gpu_report import Deadline, Target
from benchmarks.gpu_worker import ROOT

GRACE = 15.0  # seconds beyond its time that a process has to end by itself
EVERY = 1.0  # seconds after which what there is gets written down

# Section -> ``work(section, deadline, request)``, which may return targets. A request is plain data: whether to "simulate",
# the "networks", the "limits" that were measured before.
WORKS = {
    "machine": lambda s, d, r: gpu_limits.describe(s, d),
    "tuned": lambda s, d, r: gpu_checks.check(s, d, r["simulate"]),
    "limits": lambda s, d, r: gpu_limits.limits(s, d, r["simulate"]),
    "chains": lambda s, d, r: gpu_limits.chains(s, d, r["limits"].get("copy_gbs"), r["simulate"]),
    "kernels": lambda s, d, r: gpu_networks.kernels(s, d, r["networks"], r["limits"], 1 if r["simulate"] else 20),
}


def apart(name: str, section: dict, deadline: Deadline, request: dict) -> list[Target]:
    """Do the work of a section in another process, and fill `section` with what it found, even if it came to no end.

    Raises
    ------
    RuntimeError
        If it failed, or had to be ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.json"
        given = json.dumps({**request, "name": name, "path": str(path), "seconds": deadline.left})
        code = "import sys; from benchmarks.gpu_sections import serve; serve(sys.argv[1])"
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        process = subprocess.Popen([sys.executable, "-c", code, given], env={**os.environ, "PYTHONPATH": paths})
        try:
            status = process.wait(deadline.left + GRACE)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            process.kill()
            process.wait()
        found = json.loads(path.read_text()) if path.exists() else {"section": {}}
    section.update({key: value for key, value in found["section"].items() if key != "status"})
    if status is None:
        raise RuntimeError(f"{name} had to be ended: it did not come to its end in time")
    if status:
        raise RuntimeError(found.get("error") or f"the process of {name} ended with status {status}")
    return [Target(**target) for target in found["targets"]]


def serve(given: str) -> None:
    """The other process."""
    request = json.loads(given)
    path, found = Path(request["path"]), {"section": {}, "targets": []}
    threading.Thread(target=_keep_writing, args=(path, found), daemon=True).start()
    try:
        targets = WORKS[request["name"]](found["section"], Deadline(request["seconds"]), request)
        found["targets"] = [asdict(target) for target in targets or ()]
    except BaseException:
        found["error"] = traceback.format_exc()
        raise
    finally:
        _write(path, found)


def _keep_writing(path, found) -> None:
    while True:
        time.sleep(EVERY)
        try:
            _write(path, found)
        except RuntimeError:  # somebody changed it meanwhile
            continue


_lock = threading.Lock()


def _write(path: Path, found: dict) -> None:
    with _lock:
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(found, default=str))
        beside.replace(path)
