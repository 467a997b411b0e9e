"""The training job on several processes, as torchrun starts it on the instances of a job."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import train

pytestmark = pytest.mark.integration  # each test starts two training processes
JOB = Path(train.__file__).parent
QUICK = [
    "--learning_rate=5e-3",
    "--max_length=16",
    "--logging_steps=1",
    "--bootstrap_resamples=200",
    "--vendor_onnxruntime=no",
]


def container(base: Path, data: Path) -> dict[str, str]:
    """Return the variables of a container whose folders are below `base`, with `data` as both channels."""
    for channel in ("train", "test"):
        folder = base / "input/data" / channel
        folder.mkdir(parents=True)
        shutil.copy(data / f"{channel}.json", folder)
    (base / "home").mkdir()
    return {
        "SAGEMAKER_BASE_DIR": str(base),
        "SM_HOSTS": '["algo-1", "algo-2"]',
        "PATH": "/usr/bin:/bin",
        "HOME": str(base / "home"),
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0",
    }


def command(script: Path, *arguments: str) -> list[str]:
    """Return the command that runs `script` in two processes."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1", "--nproc-per-node=2"]
    return [sys.executable, *launcher, str(script), *arguments]


def run(arguments: Sequence[str], environ: dict[str, str], script: Path = JOB / "train.py"):
    """Run the job to its end."""
    return subprocess.run(command(script, *arguments), env=environ, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def distributed(tiny_base: Path, scored_data: Path, tmp_path_factory: pytest.TempPathFactory):
    """Run a job with two processes; return its folder and the finished process."""
    base = tmp_path_factory.mktemp("ml")
    done = run([f"--base_model={tiny_base}", "--epochs=5", *QUICK], container(base, scored_data))
    assert done.returncode == 0, done.stderr
    return base, done


def test_one_process_speaks_and_writes(distributed) -> None:
    """There is one artifact, one evaluation and one set of metric lines, and nothing on stderr."""
    base, done = distributed
    evaluations = sorted(str(path.relative_to(base)) for path in base.rglob("evaluation.json"))
    assert evaluations == ["model/evaluation.json", "output/data/evaluation.json"]
    assert (base / "model/evaluation.json").read_text() == (base / "output/data/evaluation.json").read_text()
    for beginning in ("data: read as ", "trained in ", "test_accuracy=", "model: "):
        assert [line.startswith(beginning) for line in done.stdout.splitlines()].count(True) == 1
    assert done.stderr == ""
    assert not (base / "output/failure").exists()


def test_the_processes_share_a_batch(distributed) -> None:
    """Epochs have as many steps as with one process, and the model learns as well."""
    figures = json.loads((distributed[0] / "model/evaluation.json").read_text())
    steps = -(-figures["train_rows"] // 32)
    assert f" step={5 * steps}/{5 * steps} " in distributed[1].stdout
    assert figures["processes"] == 2
    assert figures["test"]["accuracy"]["value"] > 0.9


def test_wrong_data_is_told_once(tiny_base: Path, scored_data: Path, tmp_path: Path) -> None:
    """Both processes read it, one reports what is wrong, and torchrun ends with an error."""
    done = run([f"--base_model={tiny_base}", "--text_column=review", *QUICK], container(tmp_path, scored_data))
    assert done.returncode != 0
    assert (tmp_path / "output/failure").read_text().startswith("train.json has no column 'review'")
    assert done.stderr.count("train.json has no column 'review'") == 1
    assert not (tmp_path / "model").exists()


def test_a_failure_of_one_process_is_the_reason_of_all(tiny_base: Path, scored_data: Path, tmp_path: Path) -> None:
    """The second process fails in training; the first one, which waits for it, reports that reason."""
    script = tmp_path / "broken.py"
    script.write_text(
        f"import os, sys\nsys.path.insert(0, {str(JOB)!r})\n"
        "import train\nfrom classifier.training.callbacks import Progress\n"
        "def fail(self, args, state, control, **kwargs):\n"
        "    if os.environ['RANK'] == '1' and state.global_step == 3:\n"
        "        raise OSError('the disk of this instance is full')\n"
        "Progress.on_step_end = fail\n"
        "sys.exit(train.main())\n"
    )
    base = tmp_path / "ml"
    done = run([f"--base_model={tiny_base}", "--epochs=4", *QUICK], container(base, scored_data), script)
    assert done.returncode != 0
    assert (base / "output/failure").read_text() == "Process 1 of 2: OSError: the disk of this instance is full"
    assert done.stderr.count("The job failed unexpectedly.") == 1
    assert not (base / "model").exists()


def test_told_to_stop_they_stop_after_the_same_step_and_go_on_from_there(
    tiny_base: Path, scored_data: Path, tmp_path: Path
) -> None:
    """SIGTERM stops the job, as before a spot instance ends; the next job gets copies of the checkpoints."""
    arguments = [f"--base_model={tiny_base}", "--epochs=5", *QUICK]
    environ = container(tmp_path / "first", scored_data)
    job = subprocess.Popen(
        command(JOB / "train.py", *arguments), env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert job.stdout is not None
    try:
        next(line for line in job.stdout if "step=3/" in line)
        job.send_signal(signal.SIGTERM)
        said = job.stdout.read()
        assert job.wait(timeout=60) != 0
    finally:
        if job.poll() is None:
            os.kill(job.pid, signal.SIGKILL)
    assert "Stopped at step" in said
    assert not (tmp_path / "first/model").exists()

    environ = container(tmp_path / "second", scored_data)
    shutil.copytree(tmp_path / "first/checkpoints", tmp_path / "second/checkpoints")
    done = run(arguments, environ)
    assert done.returncode == 0, done.stderr
    assert "Resuming from checkpoint" in done.stdout and " step=3/" not in done.stdout
    assert list((tmp_path / "second/checkpoints").iterdir()) == []


@pytest.mark.nightly(part="containers")
def test_a_student_of_two_processes_is_stopped_and_goes_on(tiny_base: Path, scored_data: Path, tmp_path: Path) -> None:
    """After a stop in the student's training the full model is not trained again, and the student is good."""
    arguments = [f"--base_model={tiny_base}", "--epochs=12", "--student_layers=1", *QUICK]
    environ = container(tmp_path / "ml", scored_data)
    job = subprocess.Popen(
        command(JOB / "train.py", *arguments), env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert job.stdout is not None
    try:
        next(line for line in job.stdout if "epoch=13." in line)  # of 48: long enough before the end
        job.send_signal(signal.SIGTERM)
        assert "/student." in job.stdout.read()
        assert job.wait(timeout=60) != 0
    finally:
        if job.poll() is None:
            os.kill(job.pid, signal.SIGKILL)

    environ["HOME"] = str(tmp_path)
    done = run(arguments, environ)
    assert done.returncode == 0, done.stderr
    assert " epoch=1." not in done.stdout and "epoch=48.00" in done.stdout
    evaluation = json.loads((tmp_path / "ml/model/evaluation.json").read_text())
    assert evaluation["student"]["layers"] == [0] and evaluation["test"]["accuracy"]["value"] > 0.9


def test_without_a_shared_disk_all_processes_end_with_the_same_weights(
    tiny_base: Path, scored_data: Path, tmp_path: Path
) -> None:
    """Each process has checkpoints of its own, as each instance has: model and student are equal all the same."""
    script = tmp_path / "apart.py"
    script.write_text(
        f"import hashlib, os, pathlib, sys\nsys.path.insert(0, {str(JOB)!r})\n"
        "import train\nfrom transformers import Trainer\nfrom classifier.training.fit import Fitting\n"
        "evaluate, fit, rank = Trainer.evaluate, Fitting.fit, os.environ['RANK']\n"
        "def first_is_best(self, *args, **kwargs):\n"
        "    return evaluate(self, *args, **kwargs) | {'eval_loss': self.state.epoch}\n"
        "def told(self, name, *args):\n"
        "    fitted = fit(self, name, *args)\n"
        "    weights = b''.join(w.numpy().tobytes() for w in fitted.model.state_dict().values())\n"
        f"    pathlib.Path({str(tmp_path)!r}, name + rank).write_text(hashlib.sha256(weights).hexdigest())\n"
        "    return fitted\n"
        "Trainer.evaluate, Fitting.fit = first_is_best, told\n"
        f"sys.exit(train.main([*sys.argv[1:], '--checkpoint-dir', {str(tmp_path)!r} + '/disk' + rank]))\n"
    )
    arguments = [f"--base_model={tiny_base}", "--epochs=2", "--student_layers=1", *QUICK]
    done = run(arguments, container(tmp_path / "ml", scored_data), script)
    assert done.returncode == 0, done.stderr
    for name in ("full", "student"):
        assert (tmp_path / f"{name}0").read_text() == (tmp_path / f"{name}1").read_text()
