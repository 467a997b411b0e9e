"""What a training script finds: arguments, variables, files, and nothing of the server's own environment."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import training_image
from local.sagemaker.common.errors import ServiceError
from local.sagemaker.common.settings import ImageRule

pytestmark = pytest.mark.integration  # real processes

REPORT = """
    import json, os, pathlib, sys
    config = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "input", "config")
    report = {
        "arguments": sys.argv,
        "environment": dict(os.environ),
        "cwd": os.getcwd(),
        "session": os.getsid(0),
        "files": {path.stem: json.loads(path.read_text()) for path in config.iterdir()},
    }
    print("report " + json.dumps(report))
"""


def report(cloud: Any, **params: Any) -> dict[str, Any]:
    """What the script saw."""
    cloud.train(REPORT, **params)
    assert cloud.job()["TrainingJobStatus"] == "Completed"
    (line,) = [line for line in cloud.training_log() if line.startswith("report ")]
    return json.loads(line.removeprefix("report "))


def test_quoting_of_hyperparameters(cloud: Any) -> None:
    """Plain and JSON-quoted values reach the script alike; the toolkit's own values do not."""
    values = {"epochs": "2", "lr": '"3e-5"', "name": '"a b"', "flag": "true", "sagemaker_program": '"train.py"'}
    seen = report(cloud, HyperParameters=values)
    assert seen["arguments"] == ["train.py", "--epochs", "2", "--flag", "True", "--lr", "3e-5", "--name", "a b"]
    assert seen["environment"]["SM_HP_EPOCHS"] == "2"
    assert seen["environment"]["SM_HP_NAME"] == "a b"
    assert json.loads(seen["environment"]["SM_HPS"]) == {"epochs": 2, "lr": "3e-5", "name": "a b", "flag": True}
    assert seen["files"]["hyperparameters"]["lr"] == '"3e-5"', "the file holds what the request said"


def test_variables_of_the_toolkit(cloud: Any) -> None:
    """The SM_ variables name folders that exist below SAGEMAKER_BASE_DIR, one host and no GPU."""
    cloud.surroundings.put("s3://bucket/data/a", b"")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data/"}}
    channels = [{"ChannelName": name, "DataSource": source} for name in ("train", "test")]
    seen = report(cloud, InputDataConfig=channels)
    variables, base = seen["environment"], seen["environment"]["SAGEMAKER_BASE_DIR"]
    assert variables["SM_MODEL_DIR"] == f"{base}/model"
    assert variables["SM_OUTPUT_DATA_DIR"] == f"{base}/output/data"
    assert variables["SM_CHANNEL_TRAIN"] == f"{base}/input/data/train"
    assert json.loads(variables["SM_CHANNELS"]) == ["test", "train"]
    assert (variables["SM_NUM_GPUS"], variables["SM_CURRENT_HOST"]) == ("0", "algo-1")
    assert int(variables["SM_NUM_CPUS"]) >= 1
    assert json.loads(variables["SM_HOSTS"]) == ["algo-1"]
    environment = json.loads(variables["SM_TRAINING_ENV"])
    assert environment["channel_input_dirs"]["test"] == f"{base}/input/data/test"
    assert environment["job_name"] == variables["TRAINING_JOB_NAME"] == "job"
    assert seen["files"]["resourceconfig"]["hosts"] == ["algo-1"]
    assert set(seen["files"]["inputdataconfig"]) == {"train", "test"}
    assert seen["cwd"] == f"{base}/code"


def test_environment_is_clean(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the server's environment reaches the script; the role's credentials and the local cloud's URL do."""
    monkeypatch.setenv("SERVER_SECRET", "hush")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "root")
    variables = report(cloud, Environment={"HF_HUB_OFFLINE": "1"})["environment"]
    assert "SERVER_SECRET" not in variables
    assert variables["AWS_ACCESS_KEY_ID"] == "ASIA1"
    assert variables["AWS_SESSION_TOKEN"] == "token"
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert variables["HF_HUB_OFFLINE"] == "1"
    assert Path(variables["HOME"]).is_relative_to(cloud.settings.state_dir)


def test_script_has_another_session_than_the_server(cloud: Any) -> None:
    """The toolkit leads a session of its own, so that a Ctrl-C for the server does not reach the script."""
    assert report(cloud)["session"] != os.getsid(0)


def test_network_isolation_gives_no_credentials(cloud: Any) -> None:
    """An isolated job cannot reach AWS: it gets no credentials, and the log says what is not isolated."""
    variables = report(cloud, EnableNetworkIsolation=True)["environment"]
    assert not [name for name in variables if name.startswith("AWS_")]
    assert any("EnableNetworkIsolation" in line for line in cloud.training_log())


def several(count: int, enabled: str = "true") -> dict[str, Any]:
    """The members of a request that trains with `count` instances together."""
    return {
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1},
        "HyperParameters": {"sagemaker_torch_distributed_enabled": enabled},
    }


def fake_torchrun(script: str) -> dict[str, str]:
    """A module in place of torch's launcher that reports how it was started."""
    return {
        "torch/__init__.py": "",
        "torch/distributed/__init__.py": "",
        "torch/distributed/run.py": textwrap.dedent(script),
    }


@pytest.mark.parametrize("enabled", ["true", '"true"', "True"])
def test_instances_that_train_together_are_processes_of_torchrun(cloud: Any, enabled: str) -> None:
    """The launcher starts one process for each instance, and the script is told the same number of hosts."""
    request = several(2, enabled)
    request["HyperParameters"] |= {"epochs": "2"}
    cloud.train("", files=fake_torchrun(REPORT), **request)
    assert cloud.job()["TrainingJobStatus"] == "Completed"
    (line,) = [line for line in cloud.training_log() if line.startswith("report ")]
    seen = json.loads(line.removeprefix("report "))
    assert seen["arguments"][-3:] == ["train.py", "--epochs", "2"]
    launched = seen["arguments"][1:-3]
    assert launched[launched.index("--nproc-per-node") + 1] == "2"
    variables = seen["environment"]
    assert json.loads(variables["SM_HOSTS"]) == seen["files"]["resourceconfig"]["hosts"] == ["algo-1", "algo-2"]
    assert variables["SM_CURRENT_HOST"] == "algo-1"
    assert int(variables["OMP_NUM_THREADS"]) >= 1
    assert any("InstanceCount is 2" in line for line in cloud.training_log())


@pytest.mark.parametrize(
    ("request_part", "words"),
    [
        (several(2, "false"), "sagemaker_torch_distributed_enabled=true"),
        ({"ResourceConfig": several(2)["ResourceConfig"]}, "sagemaker_torch_distributed_enabled=true"),
        (several(5), "at most 4"),
    ],
)
def test_instances_that_cannot_train_together_are_refused(cloud: Any, request_part: dict[str, Any], words: str) -> None:
    """Several instances need torchrun, and four is the limit; a refused request creates no job."""
    with pytest.raises(ServiceError, match=words) as refused:
        cloud.train("", **request_part)
    assert refused.value.code == "ValidationException"
    assert cloud.call("ListTrainingJobs")["TrainingJobSummaries"] == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sagemaker_program": ""}, "sagemaker_program (the file to run) and sagemaker_submit_directory"),
        ({"sagemaker_program": "run.sh"}, "has to be a Python file in the tarball, not run.sh"),
        ({"sagemaker_program": "../x.py"}, "has to be a Python file in the tarball, not ../x.py"),
        ({"sagemaker_submit_directory": "s3://bucket/code/"}, "has to be s3://…/….tar.gz, not s3://bucket/code/"),
    ],
)
def test_broken_contract_is_explained(cloud: Any, values: dict[str, str], words: str) -> None:
    """A program or tarball that cannot be run fails the job; the reason says what is wrong and what is expected."""
    cloud.train("", HyperParameters=values)
    assert words in cloud.job()["FailureReason"]


def test_toolkit_is_found_whatever_the_job_sets(cloud: Any) -> None:
    """A PYTHONPATH and a PATH in the job's Environment reach the script and do not hide the toolkit or torchrun."""
    variables = report(cloud, Environment={"PYTHONPATH": "/mine", "PATH": "/bin"})["environment"]
    assert "/mine" in variables["PYTHONPATH"].split(":")
    assert variables["PATH"] == f"{variables['HOME']}/bin:/bin"  # ours, before the job's


def test_processes_of_torchrun_do_not_outlive_it(start_cloud: Any) -> None:
    """The processes of a killed torchrun end, although they have sessions of their own."""
    cloud = start_cloud(stop_grace_seconds=0.3)
    launcher = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        command = sys.argv[sys.argv.index("--no-python") + 1 :]
        subprocess.Popen(command, start_new_session=True)
        time.sleep(60)
    """
    script = 'import os, sys, time; print(" ".join(["worker", str(os.getpid()), *sys.argv])); time.sleep(60)'
    request = several(2)
    request["HyperParameters"] |= {"epochs": "2"}
    cloud.train(script, files=fake_torchrun(launcher), **request)
    lines = cloud.until(cloud.training_log, lambda lines: any(line.startswith("worker ") for line in lines))
    said = next(line for line in lines if line.startswith("worker ")).split()
    assert said[2:] == ["train.py", "--epochs", "2"]
    cloud.call("StopTrainingJob", TrainingJobName="job")
    assert cloud.job()["TrainingJobStatus"] == "Stopped"
    cloud.until(lambda: Path(f"/proc/{said[1]}").exists(), lambda alive: not alive)


@pytest.mark.integration  # imports the real torch in four processes
def test_real_torchrun_joins_the_instances(start_cloud: Any) -> None:
    """Two instances become two ranks of one group, each with the script's arguments and with folders of its own."""
    script = """
        import json, os, sys
        from pathlib import Path
        import torch.distributed as dist
        host, base = os.environ["SM_CURRENT_HOST"], Path(os.environ["SAGEMAKER_BASE_DIR"])
        assert json.loads((base / "input/config/resourceconfig.json").read_text())["current_host"] == host
        assert (Path.cwd() / "train.py").is_file() and Path.cwd() == base / "code"
        Path(os.environ["SM_MODEL_DIR"], f"{host}.txt").write_text("own")
        Path("written.txt").write_text("own")
        dist.init_process_group("gloo")
        told = f"rank {dist.get_rank()} of {dist.get_world_size()}: {sys.argv[1:]} {os.environ['SM_HOSTS']}"
        dist.barrier()
        found = [path.name for path in Path(os.environ["SM_MODEL_DIR"]).iterdir()]
        sys.stdout.write(f"{told} {found}\\n")  # in one piece, because both ranks write into one log
        dist.destroy_process_group()
    """
    variables = {"PYTHONPATH": str(training_image.TOOLKIT), "SAGEMAKER_TRAINING_MODULE": training_image.MODULE}
    rule = ImageRule(image="*", kind="training", python=sys.executable, environment=variables)
    cloud = start_cloud(images=(rule,))
    request = several(2)
    request["HyperParameters"] |= {"label_names": "not helpful,helpful"}
    cloud.train(script, **request)
    cloud.until(cloud.training_log, lambda lines: len([line for line in lines if line.startswith("rank ")]) == 2)
    assert cloud.job()["TrainingJobStatus"] == "Completed", cloud.training_log()[-5:]
    told = sorted(line for line in cloud.training_log() if line.startswith("rank "))
    rest = """of 2: ['--label_names', 'not helpful,helpful'] ["algo-1","algo-2"]"""
    assert told == [f"rank 0 {rest} ['algo-1.txt']", f"rank 1 {rest} ['algo-2.txt']"]
    assert any("algo-2 wrote files into SM_MODEL_DIR" in line for line in cloud.training_log())


@pytest.mark.integration  # imports the real torch
def test_the_reason_of_another_instance_is_told(start_cloud: Any) -> None:
    """What the second instance leaves in its own failure file is the reason of the job's failure."""
    script = """
        import os, sys, time
        from pathlib import Path
        failure = Path(os.environ["SAGEMAKER_BASE_DIR"], "output/failure")
        if os.environ["SM_CURRENT_HOST"] == "algo-1":
            time.sleep(30)
        failure.write_text("the disk of algo-2 is full")
        sys.exit(1)
    """
    variables = {"PYTHONPATH": str(training_image.TOOLKIT), "SAGEMAKER_TRAINING_MODULE": training_image.MODULE}
    cloud = start_cloud(images=(ImageRule(image="*", kind="training", python=sys.executable, environment=variables),))
    cloud.train(script, **several(2))
    assert cloud.job()["FailureReason"].startswith("AlgorithmError: the disk of algo-2 is full")
