"""Records on disk."""

from __future__ import annotations

from pathlib import Path

from local.sagemaker.common.names import Key, Scope
from local.sagemaker.state.store import Store

SCOPE = Scope("000000000000", "us-east-1")


def test_records_outlive_the_process(tmp_path: Path) -> None:
    """Another store on the same folder finds records, changes and deletions."""
    store = Store(tmp_path)
    for name in ("kept", "gone"):
        store.put(Key("model", SCOPE, name), {"Name": name, "Time": 1.5})
    store.update(Key("model", SCOPE, "kept"), Extra=[1], Time=None)
    store.delete(Key("model", SCOPE, "gone"))
    again = Store(tmp_path)
    again.load()
    assert [record for _, record in again.all("model")] == [{"Name": "kept", "Extra": [1]}]


def test_owners_are_kept_apart(tmp_path: Path) -> None:
    """The same name in another region or account is another record."""
    store = Store(tmp_path)
    store.put(Key("model", SCOPE, "m"), {"v": 1})
    assert store.get(Key("model", Scope("000000000000", "eu-west-1"), "m")) is None
    assert store.all("model", Scope("111111111111", "us-east-1")) == []


def test_what_is_handed_out_is_a_copy(tmp_path: Path) -> None:
    """Changing a record that was read does not change the store."""
    store = Store(tmp_path)
    store.put(Key("model", SCOPE, "m"), {"list": [1]})
    (store.get(Key("model", SCOPE, "m")) or {})["list"].append(2)
    assert store.get(Key("model", SCOPE, "m")) == {"list": [1]}


def test_names_with_slashes(tmp_path: Path) -> None:
    """A name like `group/3` is one file and comes back as it was."""
    Store(tmp_path).put(Key("model-package", SCOPE, "group/3"), {"v": 3})
    again = Store(tmp_path)
    again.load()
    assert again.get(Key("model-package", SCOPE, "group/3")) == {"v": 3}


def test_unreadable_file_is_skipped(tmp_path: Path) -> None:
    """A damaged file does not affect other records."""
    store = Store(tmp_path)
    store.put(Key("model", SCOPE, "good"), {})
    (tmp_path / "model" / "000000000000" / "us-east-1" / "bad.json").write_text("{half")
    store.load()
    assert [key.name for key, _ in store.all("model")] == ["good"]


def test_update_of_a_missing_record(tmp_path: Path) -> None:
    """A change of a missing record has no effect."""
    store = Store(tmp_path)
    store.update(Key("model", SCOPE, "m"), a=1)
    assert store.all("model") == []
