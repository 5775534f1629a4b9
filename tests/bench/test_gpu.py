"""`benchmarks.gpu` on a machine without a GPU: the simulator stands in for it, and sleeping processes for contenders."""

import json
import os

import numpy as np
import pytest

import symcnn as sc
from benchmarks import gpu, gpu_contract, gpu_networks, gpu_own, gpu_sections, gpu_worker
from benchmarks.gpu_report import Deadline, Report, Target
from benchmarks.gpu_worker import Failed, Worker

STUB = "tests.bench.gpu_stub"


@pytest.fixture
def simulated(monkeypatch):
    pytest.importorskip("numba_cuda")
    monkeypatch.setenv("SYMCNN_SIMULATE_CUDA", "1")
    monkeypatch.setattr(sc.config, "simulate_cuda", True)


def test_without_a_gpu_it_says_why(monkeypatch):
    from symcnn.backends.cuda.gpus import unavailable

    monkeypatch.setattr(sc.config, "simulate_cuda", False)
    if unavailable() is None:
        pytest.skip("there is a GPU")
    with pytest.raises(SystemExit, match=r"benchmarks\.gpu needs an NVIDIA GPU"):
        gpu.main(["--quick"])


def test_the_simulator_is_not_measured_by_accident(simulated):
    with pytest.raises(SystemExit, match="not the simulator"):
        gpu.main(["--quick"])


def test_sections_in_the_simulator(simulated, tmp_path, capsys):
    path = tmp_path / "figures.json"
    arguments = [
        "--simulate",
        "--in-process",
        "--sections",
        "machine",
        "tuned",
        "chains",
        "kernels",
        "--json",
        str(path),
    ]
    assert gpu.main([*arguments, "--minutes", "2"]) == 0
    content = json.loads(path.read_text())
    sections = content["sections"]
    assert [s["status"] for s in sections.values()] == ["done"] * 4
    assert sections["machine"]["versions"]["numpy"] == np.__version__
    assert sections["tuned"]["wrong"] == 0
    assert len(sections["tuned"]["rows"]) == 4 * 3
    assert sections["tuned"]["gradients"][0]["right"]
    kernels = sections["kernels"]["networks"]["tiny"]["kernels"]
    assert sum(k["share"] for k in kernels) == pytest.approx(1)
    assert {"implicit GEMM", "product", "generated"} <= {k["algorithm"] for k in kernels}
    assert [t["reached"] for t in content["targets"]] == [None]  # no limits were measured
    assert "not measured" in capsys.readouterr().out


def test_a_wrong_kernel_is_reported(simulated, tmp_path, monkeypatch):
    from benchmarks import gpu_checks

    oracle = gpu_checks._oracle
    monkeypatch.setattr(gpu_checks, "_oracle", lambda case, arrays: [1.01 * a for a in oracle(case, arrays)])
    monkeypatch.setattr(gpu_checks, "_gradients", lambda simulate: [])
    path = tmp_path / "figures.json"
    assert gpu.main(["--simulate", "--in-process", "--sections", "tuned", "--json", str(path)]) == 1
    assert json.loads(path.read_text())["sections"]["tuned"]["wrong"] == 12


def test_a_section_in_a_process_of_its_own(simulated, tmp_path):
    path = tmp_path / "figures.json"
    assert gpu.main(["--simulate", "--sections", "machine", "--json", str(path)]) == 0
    assert json.loads(path.read_text())["sections"]["machine"]["gpu"] == "simulator"


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        ("os._exit(11)", "status 11"),
        ("1 / 0", "ZeroDivisionError"),
        ("time.sleep(60)", "had to be ended"),
    ],
)
def test_what_a_process_found_before_it_failed_is_kept(work, reason, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, time\n"
        "from benchmarks import gpu_sections\n"
        "def work(section, deadline, request):\n"
        "    section['rows'] = [1]\n"
        "    time.sleep(0.5)\n"
        f"    {work}\n"
        "gpu_sections.EVERY = 0.1\n"
        "gpu_sections.WORKS['planted'] = work\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(gpu_sections, "GRACE", 3.0)
    section = {}
    with pytest.raises(RuntimeError, match=reason):
        gpu_sections.apart("planted", section, Deadline(3), {})
    assert section == {"rows": [1]}


def test_contract_tests_in_processes_of_their_own(simulated):
    section = {}
    gpu_contract.check(section, Deadline(60), "cuda and Concat-0 and equals", ["test_ops.py"])
    assert section["failed"] == 0
    assert section["finished"]
    assert section["ran"] == section["passed"] == section["selected"] > 0
    with pytest.raises(RuntimeError, match="no test ran"):
        gpu_contract.check({}, Deadline(60), names=["test_nothing.py"])


# ---- contenders


@pytest.fixture
def stubs(monkeypatch):
    monkeypatch.setattr(gpu_networks, "MODULES", {"symcnn": STUB, "torch": STUB})
    monkeypatch.setattr(gpu_networks, "task", lambda name, batch=None: {"network": name, "batch": batch or 1})
    monkeypatch.setattr(gpu_networks, "LEAST", 8.0)
    monkeypatch.setattr(
        gpu_networks, "TARGETS", {"raises": {"channels_last": 0.7, "eager": 1.0}, "good": {"eager": 0.01}}
    )


def test_turns_and_what_may_go_wrong(stubs):
    names = ("good", "raises", "dies", "hangs")
    section = {}
    with gpu_networks.Contenders(names) as contenders:
        contenders.begin()
        targets = gpu_networks.networks(section, Deadline(10), contenders, 0.05)
    good, raises, dies, hangs = section["rows"]
    medians = {variant: sample["median_ms"] for variant, sample in good["samples"].items()}
    assert sorted(medians, key=medians.get) == ["symcnn", "channels_last", "compile", "eager"]
    assert good["samples"]["symcnn"]["whole_step_ms"] > 2 * 0.9
    assert good["failed"] == {}
    assert raises["failed"] == {"eager": "eager: RuntimeError: cannot\ntrain"}
    assert "status 3" in dies["failed"]["channels_last"]
    assert "no answer within" in hangs["failed"]["compile"]
    assert "symcnn" in raises["samples"] and "symcnn" in dies["samples"] and "symcnn" in hangs["samples"]
    assert section["wrong"] == 0
    found = {t.name: t.reached for t in targets}
    assert found == {
        "good b1 step, of PyTorch eager": False,
        "raises b1 step, of PyTorch channels_last": True,
        "raises b1 step, of PyTorch eager": None,
    }


def test_batches_double_until_one_fails(stubs):
    section = {}
    with gpu_networks.Contenders(("good",), compile_too=False) as contenders:
        gpu_networks.batches(section, Deadline(20), contenders, 0.02)
    assert [row["batch"] for row in section["rows"]] == [2, 4, 8]
    assert "too large" in section["rows"][-1]["failed"]["symcnn"]
    assert section["stopped"] == {}


def test_a_worker_that_is_gone_says_so():
    with Worker(STUB, "eager") as worker:
        task = {"network": "good", "batch": 1}
        assert worker.ask({"prepare": task}, 20)["seconds"] > 0
        worker.ask({"drop": task}, 20)
        with pytest.raises(Failed, match="KeyError"):
            worker.ask({"time": task, "seconds": 0.1}, 20)
        worker._process.kill()
        with pytest.raises(Failed, match="its process ended"):
            worker.ask({"drop": task}, 20)
    with (
        Worker("tests.bench.there_is_no_such_module", "eager") as worker,
        pytest.raises(Failed, match="ModuleNotFound"),
    ):
        worker.ask({"drop": {}}, 20)


def test_our_own_job(simulated):
    job = gpu_own.prepare("symcnn", "tiny", 1)
    before = [p.get_value() for p in job._step.model.parameters()]
    job.step()
    job.wait()
    job.whole_step()
    assert any((p.get_value() != b).any() for p, b in zip(job._step.model.parameters(), before, strict=True))
    gpu_own.free()


@pytest.mark.parametrize("variant", ["eager", "channels_last"])
def test_a_job_of_pytorch(variant, torch):
    from benchmarks import gpu_torch

    job = gpu_torch.prepare(variant, "tiny", 2)
    first = job.whole_step()
    for _ in range(20):
        job.step()
    job.wait()
    assert job.whole_step() < first
    gpu_torch.free()


def test_repetitions_share_a_wait():
    asked = []
    times = gpu_worker.repeat(lambda: asked.append("step"), lambda: asked.append("wait"), 0.01)
    assert len(times) >= gpu_worker.BLOCKS
    assert asked.count("step") > 5 * asked.count("wait")


# ---- the file


def test_a_section_that_fails_stops_no_other(tmp_path):
    report = Report(tmp_path / "deep" / "figures.json", {"command": "none"})

    def half(section, deadline):
        section["rows"] = [1]
        assert 0 < deadline.left <= 3
        raise ValueError("planted")

    report.section("one", 3, half)
    report.section("two", 3, lambda section, deadline: section.update(fine=True))
    content = json.loads(report.path.read_text())
    assert content["sections"]["one"]["rows"] == [1]
    assert "planted" in content["sections"]["one"]["traceback"]
    assert content["sections"]["two"]["status"] == "done"
    assert report.failures == ["one"]
    assert os.listdir(report.path.parent) == ["figures.json"]


def test_what_is_cut_off_is_on_disk(tmp_path):
    report = Report(tmp_path / "figures.json", {})

    def cut(section, deadline):
        raise KeyboardInterrupt

    report.section("one", 3, lambda section, deadline: None)
    with pytest.raises(KeyboardInterrupt):
        report.section("two", 3, cut)
    sections = json.loads(report.path.read_text())["sections"]
    assert [s["status"] for s in sections.values()] == ["done", "cut off"]


@pytest.mark.parametrize(
    ("found", "at_most", "reached", "words"),
    [
        (0.4, True, True, "reached"),
        (0.6, True, False, "MISSED"),
        (0.6, False, True, "reached"),
        (None, True, None, "not"),
    ],
)
def test_targets(found, at_most, reached, words):
    target = Target("a step", 0.5, found, at_most)
    assert target.reached is reached
    assert words in str(target)
    assert target.as_json()["reached"] is reached
