"""The journal of a stack operation: what it says after a kill."""

from __future__ import annotations

from pathlib import Path

from local.emulator.recovery.stack_operations import Operation, OperationJournal

_MODEL = {"PhysicalResourceId": "arn:model/new", "ResourceType": "AWS::SageMaker::Model"}


def _begun(root: Path) -> OperationJournal:
    journal = OperationJournal(root)
    journal.begin(Operation("a/stack", "arn:stack", "arn:role", {"Resources": {}}, {"P": {"Value": "1"}}, {"x": 1}))
    return journal


def test_what_was_done_is_read_back_in_order(tmp_path: Path) -> None:
    """Another process finds the operation with everything noted before the end."""
    journal = _begun(tmp_path)
    journal.note("a/stack", {"making": ["Model", "new"]})
    journal.note("a/stack", {"done": ["Model", _MODEL]})
    journal.note("a/stack", {"making": ["EndpointConfig", "new-config"]})
    journal.note("a/stack", {"cleaning": True})
    (operation,) = OperationJournal(tmp_path).unfinished()
    assert (operation.stack_id, operation.role, operation.previous) == ("arn:stack", "arn:role", {"x": 1})
    assert operation.records == {"Model": _MODEL}
    assert operation.made == [("Model", "new"), ("EndpointConfig", "new-config")]
    assert operation.cleaning


def test_a_rollback_adds_nothing(tmp_path: Path) -> None:
    """What a rollback deletes or changes does not count as progress."""
    journal = _begun(tmp_path)
    journal.going_back("a/stack")
    journal.note("a/stack", {"cleaning": True})
    journal.note("a/stack", {"done": ["Model", _MODEL]})
    (operation,) = OperationJournal(tmp_path).unfinished()
    assert (operation.records, operation.cleaning) == ({}, False)


def test_an_ended_operation_leaves_no_journal(tmp_path: Path) -> None:
    """Neither a file nor later notes of the same stack."""
    journal = _begun(tmp_path)
    journal.end("a/stack")
    journal.note("a/stack", {"done": ["Model", _MODEL]})
    assert OperationJournal(tmp_path).unfinished() == []
    assert list(tmp_path.iterdir()) == []


def test_a_line_cut_off_by_the_kill_is_ignored(tmp_path: Path) -> None:
    """Only the incomplete last line is lost."""
    journal = _begun(tmp_path)
    journal.note("a/stack", {"making": ["Model", "new"]})
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text() + '{"done": ["Mo')
    (operation,) = OperationJournal(tmp_path).unfinished()
    assert operation.made == [("Model", "new")]
    assert operation.records == {}


def test_a_frozen_journal_keeps_what_it_says(tmp_path: Path) -> None:
    """What an operation does while the server goes down under it, even its end, is not noted."""
    journal = _begun(tmp_path)
    journal.freeze()
    journal.note("a/stack", {"cleaning": True})
    journal.end("a/stack")
    (operation,) = OperationJournal(tmp_path).unfinished()
    assert (operation.frozen, operation.cleaning) == (True, False)
