"""Which tests share a test process and a local cloud, and the order in which the groups start: the longest first.

A group lists files, or folders for all in them that is not listed by itself. Files that are not listed are groups of
their own, at the end. A group's tests run one after the other, in the order of its files; groups run at the same time
(`pytest -n … --dist loadscope --no-loadscope-reorder`).

Each test process collects the tests itself, and so loads all that they import. A group with a home is collected by one
process alone: the CDK is loaded once, and so is torch.
"""

from __future__ import annotations

from itertools import chain, combinations
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TESTS = Path(__file__).resolve().parents[1]

# The second process, torch's home, starts with a short group: those that only it can run come after that.
GROUPS: dict[str, tuple[str, ...]] = {
    "releases": ("e2e/test_release.py",),
    "stock server": ("unit/serving/test_serving_stock_server.py",),
    "whole path": ("e2e/test_whole_path.py", "e2e/test_article.py"),
    "any text": ("e2e/test_any_text.py",),
    "refused releases": ("e2e/test_release_refused.py", "e2e/test_judged_bytes.py"),
    "models": tuple(
        f"unit/training/test_{name}.py"
        for name in ("resume", "checkpoints", "export", "base_model", "values_through_toolkit")
    ),
    "training": ("unit/training/test_training_job.py", "unit/training/test_training_real.py"),
    "torchrun": ("unit/training/test_torchrun.py", "unit/training/test_student_runs.py"),
    "servers": tuple(f"unit/serving/test_serving_{name}.py" for name in ("http", "image", "process")),
    "operations": (
        "e2e/test_operations.py",
        "e2e/test_bulk.py",
        "e2e/test_documented_commands.py",
        "e2e/test_rights.py",
    ),
    "launches": tuple(f"e2e/test_{name}.py" for name in ("launch", "train_sdk", "tuning", "isolated_training")),
    "interruptions": ("e2e/test_interruptions.py", "e2e/test_client_killed.py", "e2e/test_faults.py"),
    "requests": (
        "e2e/test_endpoint_states.py",
        "e2e/test_bad_requests.py",
        "e2e/test_iam.py",
        "e2e/test_contract_fuzzing.py",
        "e2e/test_generated_client.py",
        "e2e/test_article_notebook.py",
        "e2e/test_pages.py",
        "e2e/test_delivery.py",
    ),
    "deployment": ("integration/test_deploy_cycle.py",),
    "slim instances": ("e2e/test_slim_instances.py",),
    "client": ("integration/test_client_process.py", "integration/test_client_package.py"),
    "restart": ("integration/test_local_restart.py", "integration/test_local_server.py"),
    # The fast tests: two processes have the CDK, another one torch. One of them waits for the templates meanwhile.
    "templates": ("infra",),
    "states": (
        *(f"infra/test_{name}_states.py" for name in ("evidence", "registry", "tuning")),
        *(f"infra/test_release_{name}.py" for name in ("definition", "failures", "lost_endpoint", "requests")),
        *(f"infra/test_{name}.py" for name in ("bulk_definition", "training_definition", "training_request")),
        *(f"infra/test_{name}.py" for name in ("config", "container_image", "context_keys", "served_names")),
    ),
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
# Where groups are collected and run: the number of a test process. All others are collected by every process.
HOMES = {"templates": 0, "models": 1, "torch": 1, "states": 2}
_PLACE = {
    file: (position, number, group)
    for position, (group, files) in enumerate(GROUPS.items())
    for number, file in enumerate(files)
}


def group_of(path: Path) -> str:
    """Return the group of a test file."""
    return _place(path)[2]


def position_of(path: Path) -> tuple[int, int, str]:
    """Return a key that sorts test files by group, then by their order in it."""
    position, number, _ = _place(path)
    return position, number, _name(path)


def tell_its_place(node: WorkerController) -> None:
    """Tell a test process its number; one that replaces a crashed process gets none, and collects everything."""
    number, count = int(node.gateway.id.removeprefix("gw")), node.workerinput["workercount"]
    if node.config.getvalue("dist") == "loadscope" and number < count:
        node.workerinput["place"] = (number, count)


def is_left_to_another(path: Path, config: pytest.Config) -> bool:
    """Tell whether another test process collects this file."""
    own, count = getattr(config, "workerinput", {}).get("place", (0, 1))
    return path.is_file() and HOMES.get(group_of(path), own) % count != own


class GroupScheduling(LoadScopeScheduling):
    """Hands whole groups to test processes that have collected them."""

    def schedule(self) -> None:
        """Hand out the first groups once all processes have collected."""
        if self.collection is not None:
            super().schedule()
        elif self._check_nodes_have_same_collection():
            found = dict.fromkeys(chain.from_iterable(self.registered_collections.values()))
            self.collection = sorted(found, key=lambda nodeid: position_of(self._path(nodeid)))
            for nodeid in self.collection:
                self.workqueue.setdefault(self._split_scope(nodeid), {})[nodeid] = False
            for node in self.nodes * 2:  # a process starts a test when it knows its next one
                self._reschedule(node)

    def _reschedule(self, node: WorkerController) -> None:
        """Give the process the next group that it can run, or let it end."""
        collected = set(self.registered_collections[node])
        group = next((group for group, tests in self.workqueue.items() if tests.keys() <= collected), None)
        if group is not None:
            self.workqueue.move_to_end(group, last=False)
            super()._reschedule(node)
        elif not node.shutting_down:
            node.shutdown()

    def _check_nodes_have_same_collection(self) -> bool:
        """Tell whether processes that collected the same file found the same tests in it; report it if they did not."""
        whole = self.registered_collections
        files = {node: {self._path(nodeid) for nodeid in tests} for node, tests in whole.items()}
        for one, other in combinations(whole, 2):
            both = files[one] & files[other]
            self.registered_collections = {
                node: [nodeid for nodeid in whole[node] if self._path(nodeid) in both] for node in (one, other)
            }
            same = super()._check_nodes_have_same_collection()
            self.registered_collections = whole
            if not same:
                return False
        return True

    def _split_scope(self, nodeid: str) -> str:
        return group_of(self._path(nodeid))

    def _path(self, nodeid: str) -> Path:
        return self.config.rootpath / nodeid.partition("::")[0]


def _place(path: Path) -> tuple[int, int, str]:
    name = _name(path)
    listed = (_PLACE.get(each) for each in (name, Path(name).parent.as_posix(), name.partition("/")[0]))
    return next(filter(None, listed), (len(GROUPS), 0, name))


def _name(path: Path) -> str:
    return path.relative_to(TESTS).as_posix() if path.is_relative_to(TESTS) else str(path)
