"""Tables, ratios and files of results."""

import json
import math

from symcnn.bench import machine
from symcnn.bench.report import against_best, as_json, milliseconds, save
from symcnn.bench.turns import Failed, Sample

FAST, SLOW = Sample(1.5, (0.001, 0.0021, 0.5)), Sample(2.0, (0.0015, 0.0042, 0.1))


def test_times_have_three_digits():
    shown = [milliseconds(Sample(0, (t,))).split()[0] for t in (1.2345, 0.12345, 0.012345, 0.0012345, 0.00012345)]
    assert shown == ["1234", "123", "12.3", "1.23", "0.123"]
    assert milliseconds(Failed("no")) == "-"


def test_ratios_are_against_the_fastest_peer():
    assert against_best({"symcnn": FAST, "torch": SLOW, "jax": Failed("no")}) == ("0.67 / 0.50", "torch")
    assert against_best({"symcnn": SLOW, "torch": SLOW, "jax": FAST}) == ("1.50 / 2.00", "jax")
    assert against_best({"symcnn": FAST, "jax": Failed("no")}) == ("-", "-")
    assert against_best({"symcnn": Failed("no"), "torch": FAST}) == ("-", "-")


def test_files_name_the_machine_the_versions_and_the_command(tmp_path):
    path = tmp_path / "new" / "x.json"
    save(path, "python -m benchmarks.x", [{"symcnn": as_json(FAST), "jax": as_json(Failed("too slow"))}], threads=2)
    found = json.loads(path.read_text())
    assert found["command"] == "python -m benchmarks.x" and found["threads"] == 2
    assert found["machine"]["processor"] and "numpy" in found["machine"]["versions"]
    assert found["rows"] == [
        {
            "symcnn": {"min_ms": 1.0, "median_ms": 2.1, "repetitions": 3, "first_s": 1.5},
            "jax": {"failed": "too slow"},
        }
    ]


def test_nouns_are_counted():
    assert [machine.plural(count, "thread") for count in (1, 2)] == ["1 thread", "2 threads"]


def test_the_limits_of_the_machine():
    for limit in (machine.fma_peak(1, seconds=0.01), machine.copy_bandwidth(1, seconds=0.01, size=1 << 16)):
        assert 0 < limit < math.inf
