"""A GPU that torch cannot use ends the job at once; a CPU that was chosen does not."""

from __future__ import annotations

import pytest
import torch

from classifier.errors import JobError
from classifier.job.runtime import check_gpu


def broken() -> None:
    raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040).\nPlease update it.")


@pytest.fixture
def cuda_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """A torch for CUDA 13 that finds no usable device."""
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "init", broken)


@pytest.mark.usefixtures("cuda_build")
@pytest.mark.parametrize(
    "environ",
    [
        {"SM_NUM_GPUS": "1"},
        {"SM_NUM_GPUS": "0", "SM_CURRENT_INSTANCE_TYPE": "ml.g4dn.xlarge"},
        {"SM_CURRENT_INSTANCE_TYPE": "ml.p3.2xlarge"},
    ],
)
def test_a_gpu_that_torch_cannot_use_is_an_error(environ: dict[str, str]) -> None:
    """Counted by the toolkit or known by the instance type; the message has torch's reason and the next step."""
    with pytest.raises(JobError, match="driver on your system is too old") as caught:
        check_gpu(environ)
    assert "ml.m5.xlarge" in caught.value.hint


@pytest.mark.usefixtures("cuda_build")
@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"SM_NUM_GPUS": "0", "SM_CURRENT_INSTANCE_TYPE": "ml.m5.xlarge"},
        {"SM_CURRENT_INSTANCE_TYPE": "ml.g4dn.xlarge", "SAGEMAKER_BASE_DIR": "/home/me/job"},
    ],
)
def test_without_a_gpu_the_cpu_is_what_was_chosen(environ: dict[str, str]) -> None:
    """A CPU instance, a laptop, and the local cloud, where an instance type is only a name."""
    check_gpu(environ)


def test_a_cpu_build_of_torch_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set-up prefers a CPU build, also on a laptop with a GPU."""
    monkeypatch.setattr(torch.version, "cuda", None)
    check_gpu({"SM_NUM_GPUS": "1"})
