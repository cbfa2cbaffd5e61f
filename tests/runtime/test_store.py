"""The store survives what disks and kills do: what stands under a key is whole, or it is not there."""

import json
import os
import sqlite3
import stat

import pytest

from runtime.errors import DamagedObject, StoreError
from runtime.store import io
from runtime.store.objects import Store
from tests.plans import Builder, model


def _node():
    builder = Builder()
    return builder.nodes[builder.add(model(), "a model")]


NODE = _node()


def write(text="weights"):
    def body(folder):
        (folder / "inner").mkdir()
        (folder / "inner" / "weights.bin").write_text(text)
        (folder / "note.txt").write_text("note")

    return body


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store", write=True)


class Killed(BaseException):
    """A kill at one point; not an Exception, so that nothing catches it."""


def fail_at(number, error):
    """A hook that raises at the n-th point; `.reached` tells whether it did."""

    def hook(_what, _path):
        hook.seen += 1
        if hook.seen == number:
            hook.reached = True
            raise error

    hook.seen, hook.reached = 0, False
    return hook


def test_what_was_published_is_read_back(store):
    path = store.publish(NODE, write(), {"device": "cpu"})

    assert "weights" == (store.read(NODE.key) / "inner" / "weights.bin").read_text()
    assert path == store.read(NODE.key)
    assert {"inner/weights.bin", "note.txt"} == set(store.manifest(NODE.key).files)
    assert NODE.preimage == store.manifest(NODE.key).preimage


def test_an_object_carries_its_recipe_and_its_maker(store):
    path = store.publish(NODE, write(), {"device": "cpu", "torch": "2"})

    record = json.loads((path / "manifest.json").read_text())

    assert (NODE.key, NODE.label, "2") == (record["key"], record["label"], record["provenance"]["torch"])


@pytest.mark.parametrize("error", [Killed(), OSError(28, "No space left on device"), OSError(5, "Input/output error")])
def test_a_fault_at_any_point_leaves_all_or_nothing(tmp_path, monkeypatch, error):
    """The n-th operation fails, for every n until a run passes untouched."""
    for number in range(1, 100):
        root = tmp_path / f"{type(error).__name__}{number}"
        store = Store(root, write=True)
        hook = fail_at(number, error)
        monkeypatch.setattr(io, "at_point", hook)
        try:
            store.publish(NODE, write(), {})
        except (Killed, StoreError):
            pass
        finally:
            monkeypatch.setattr(io, "at_point", lambda _what, _path: None)
        again = Store(root, write=True)
        if again.has(NODE.key):
            assert "weights" == (again.read(NODE.key) / "inner" / "weights.bin").read_text()
        else:
            again.publish(NODE, write(), {})
            assert again.has(NODE.key)
        if not hook.reached:
            break
    else:
        pytest.fail("no run passed untouched")

    assert 8 <= number < 60, "the loop met the points it is about"


def test_everything_is_synced_before_the_rename_and_the_parent_after(store, monkeypatch):
    """Power loss keeps what was synced: the order of the points is the protocol."""
    seen = []
    monkeypatch.setattr(io, "at_point", lambda what, path: seen.append((what, path.name)))

    final = store.publish(NODE, write(), {})

    rename = seen.index(("rename", NODE.key))
    before = seen[:rename]
    assert {"weights.bin", "note.txt", "manifest.json", "inner"} <= {n for what, n in before if what == "fsync"}
    assert ("fsync", final.parent.name) in seen[rename:]
    staging = next(n for what, n in before if what == "fsync" and n.startswith(NODE.key[:12]))
    assert seen.index(("fsync", staging)) > seen.index(("fsync", "manifest.json"))


@pytest.mark.parametrize("damage", ["flip", "truncate", "grow", "remove", "manifest", "garbage manifest"])
def test_a_damaged_object_is_never_read(store, damage):
    path = store.publish(NODE, write(), {})
    victim = path / ("manifest.json" if "manifest" in damage else "inner/weights.bin")
    was = victim.stat()
    match damage:
        case "flip":
            victim.write_text("Weights")
            os.utime(victim, ns=(was.st_atime_ns, was.st_mtime_ns))
        case "truncate":
            victim.write_text("")
        case "grow":
            victim.write_text("weights and more")
        case "garbage manifest":
            victim.write_text("{]")
        case _:
            victim.unlink()

    fresh = Store(store.root, write=True)

    with pytest.raises(DamagedObject, match="set aside"):
        fresh.read(NODE.key)
    assert not fresh.has(NODE.key)
    assert any((store.root / "work" / "damaged").iterdir())
    fresh.publish(NODE, write(), {})
    assert fresh.has(NODE.key)


def test_sizes_and_times_are_enough_to_see_most_damage_without_reading(store):
    path = store.publish(NODE, write(), {})
    (path / "inner" / "weights.bin").write_text("other")

    assert not Store(store.root).has(NODE.key)


def test_the_first_of_two_equal_keys_stays_and_a_divergence_is_noted(store):
    first = store.publish(NODE, write("one"), {})

    second = store.publish(NODE, write("two"), {})

    assert first == second
    assert "one" == (second / "inner" / "weights.bin").read_text()
    assert NODE.key in (store.root / "work" / "divergences.jsonl").read_text()


def test_two_equal_results_are_no_divergence(store):
    store.publish(NODE, write("one"), {})
    store.publish(NODE, write("one"), {})

    assert not (store.root / "work" / "divergences.jsonl").exists()


@pytest.mark.parametrize("fault", ["gone", "garbage"])
def test_the_index_is_made_again_from_the_objects(store, fault):
    store.publish(NODE, write(), {})
    store.index.close()
    path = store.root / "index.sqlite"
    path.unlink() if fault == "gone" else path.write_text("no database at all, but long enough to be looked at" * 50)

    assert NODE.key in Store(store.root, write=True).index
    assert Store(store.root).has(NODE.key)


def test_a_garbage_index_does_not_stop_a_reader(store):
    store.publish(NODE, write(), {})
    store.index.close()
    (store.root / "index.sqlite").write_text("garbage " * 1000)

    assert Store(store.root).has(NODE.key)


def test_a_manifest_of_a_newer_format_is_not_taken_for_ours(store):
    path = store.publish(NODE, write(), {}) / "manifest.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 99'))
    store.index.forget(NODE.key)

    assert not Store(store.root).has(NODE.key)


def test_reading_a_store_that_is_not_there_makes_nothing(tmp_path):
    store = Store(tmp_path / "none")

    assert not store.has(NODE.key)
    assert [] == list(tmp_path.iterdir())


def test_reading_writes_nothing(store):
    store.publish(NODE, write(), {})
    store.index.close()
    before = {p: p.stat().st_mtime_ns for p in store.root.rglob("*")}

    reader = Store(store.root)
    reader.read(NODE.key)
    reader.present([NODE.key, "0" * 64])

    assert before == {p: p.stat().st_mtime_ns for p in store.root.rglob("*")}


def test_a_store_that_cannot_be_written_says_so_and_how_to_go_on(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="cannot be used") as caught:
        Store(tmp_path / "file" / "store", write=True)
    assert "--store" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_store_trouble(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StoreError):
        Store(tmp_path / "store", write=True)
    tmp_path.chmod(stat.S_IRWXU)


def test_digests_of_local_files_are_remembered_until_they_change(store, tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("one")
    store.index.remember([(path, path.stat(), "d" * 64)])

    assert "d" * 64 == store.index.digest(path, path.stat())
    path.write_text("other")
    assert store.index.digest(path, path.stat()) is None


def test_the_index_survives_two_writers(store):
    other = Store(store.root, write=True)
    other.publish(NODE, write(), {})

    assert NODE.key in store.index
    with pytest.raises(sqlite3.OperationalError):
        Store(store.root).index.forget(NODE.key)
