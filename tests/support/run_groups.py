"""Which tests share a test process and a local cloud, and the order in which the groups start: the longest first.

A group lists files, or folders for all in them that is not listed by itself. Files that are not listed are groups of
their own, at the end. A group's tests run one after the other, in the order of its files; groups run at the same time
(`pytest -n … --dist loadscope --no-loadscope-reorder`).
"""

from __future__ import annotations

from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).resolve().parents[1]

GROUPS: dict[str, tuple[str, ...]] = {
    "releases": ("e2e/test_release.py",),
    "whole path": ("e2e/test_whole_path.py", "e2e/test_article.py"),
    "any text": ("e2e/test_any_text.py",),
    "stock server": ("unit/serving/test_serving_stock_server.py",),
    "training": ("unit/training/test_training_job.py", "unit/training/test_training_real.py"),
    "torchrun": ("unit/training/test_torchrun.py", "unit/training/test_student.py"),
    "operations": ("e2e/test_operations.py", "e2e/test_documented_commands.py"),
    "launches": ("e2e/test_launch.py", "e2e/test_train_sdk.py"),
    "interruptions": ("e2e/test_interruptions.py", "e2e/test_client_killed.py"),
    "requests": (
        "e2e/test_endpoint_states.py",
        "e2e/test_bad_requests.py",
        "e2e/test_iam.py",
        "e2e/test_contract_fuzzing.py",
        "e2e/test_pages.py",
    ),
    "deployment": ("integration/test_deploy_cycle.py",),
    "slim instances": ("e2e/test_slim_instances.py",),
    "client": ("integration/test_client_process.py",),
    "restart": ("integration/test_local_restart.py", "integration/test_local_server.py"),
    # The fast tests: one process starts the CDK, the other one loads torch meanwhile.
    "templates": ("infra",),
    "torch": (
        "unit/training",
        "unit/serving",
        "unit/data/test_bundled_data.py",
        "unit/gate/report/test_report_computations.py",
    ),
    **{
        file: (f"unit/{file}.py",)
        for file in (
            "gate/test_gate_promise",
            "client/test_client_file_run",
            "sagemaker/test_sagemaker_transform",
            "sagemaker/test_sagemaker_training",
            "data/test_field_files",
            "tables/test_code_pages",
            "tables/test_round_trips",
            "operations/test_makefile",
        )
    },
}
_PLACE = {
    file: (position, number, group)
    for position, (group, files) in enumerate(GROUPS.items())
    for number, file in enumerate(files)
}


def group_of(path: Path) -> str:
    """Return the group of a test file."""
    return _place(path)[2]


def position_of(path: Path) -> tuple[int, int]:
    """Return a key that sorts test files by group, then by their order in it."""
    return _place(path)[:2]


class GroupScheduling(LoadScopeScheduling):
    """Hands whole groups to test processes."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(self.config.rootpath / nodeid.partition("::")[0])


def _place(path: Path) -> tuple[int, int, str]:
    name = _name(path)
    listed = (_PLACE.get(each) for each in (name, Path(name).parent.as_posix(), name.partition("/")[0]))
    return next(filter(None, listed), (len(GROUPS), 0, name))


def _name(path: Path) -> str:
    return path.relative_to(TESTS).as_posix() if path.is_relative_to(TESTS) else str(path)
