"""The store survives what disks and kills do: what stands under a key is whole, or it is not there."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.errors import DamagedObject, MissingInput, StoreError
from runtime.store import index, io, objects
from runtime.store.manifest import Manifest
from runtime.store.objects import Store
from tests.plans import Builder, model

ROOT = Path(__file__).parents[2]


def _node():
    builder = Builder()
    return builder.nodes[builder.add(model(), "a model")]


NODE = _node()


def has(store):
    return NODE.key in store.present([NODE.key])


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
    manifest = store.manifest(NODE.key)
    assert {"inner/weights.bin", "note.txt"} == set(manifest.files)
    assert NODE.preimage == manifest.preimage


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
        if has(again):
            assert "weights" == (again.read(NODE.key) / "inner" / "weights.bin").read_text()
        else:
            again.publish(NODE, write(), {})
            assert has(again)
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
    match damage:
        case "flip":
            flip(victim)
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
    assert not has(fresh)
    assert any((store.root / "work" / "damaged").iterdir())
    fresh.publish(NODE, write(), {})
    assert has(fresh)


@pytest.fixture
def big(monkeypatch):
    """Every object counts as a big one."""
    monkeypatch.setattr(objects, "SMALL", 0)


@pytest.fixture
def digested(monkeypatch):
    """Names of the files whose bytes were verified."""
    seen = []
    true = io.digest
    monkeypatch.setattr(io, "digest", lambda path: seen.append(Path(path).name) or true(path))
    return seen


def test_sizes_are_enough_to_see_most_damage_without_reading(store, big, digested):
    path = store.publish(NODE, write(), {})
    (path / "inner" / "weights.bin").write_text("other")
    digested.clear()

    assert not has(Store(store.root))
    assert [] == digested


def flip(path):
    """Other bytes with the same size and time."""
    was = path.stat()
    path.write_text(path.read_text().swapcase())
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def test_a_flipped_bit_in_a_small_object_is_seen_when_it_is_looked_for(store):
    flip(store.publish(NODE, write(), {}) / "note.txt")

    assert not has(Store(store.root))


def touch(root):
    """What `cp -r`, a restore or `rsync` without `-t` does to times."""
    for path in root.rglob("*"):
        os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("recorded", ["kept", "gone"])
def test_a_store_with_other_times_is_verified_once_and_then_as_quick_as_before(store, big, digested, recorded):
    store.publish(NODE, write(), {})
    store.index.close()
    if recorded == "gone":
        (store.root / "index.sqlite").unlink()
    touch(store.root / "objects")
    digested.clear()

    assert has(Store(store.root, write=True))
    assert ["weights.bin", "note.txt"] == digested

    assert has(Store(store.root, write=True)) and has(Store(store.root))
    assert 2 == len(digested)


def test_a_second_publication_records_the_times_that_are_there(store, big, digested):
    store.publish(NODE, write(), {})
    touch(store.root / "objects")
    Store(store.root, write=True).publish(NODE, write(), {})
    digested.clear()

    assert has(Store(store.root))
    assert [] == digested


def test_a_reader_verifies_other_times_once_and_changes_nothing(store, big, digested):
    store.publish(NODE, write(), {})
    store.index.close()
    touch(store.root / "objects")
    before = {p: (p.stat().st_mtime_ns, p.is_file() and p.read_bytes()) for p in store.root.rglob("*")}
    digested.clear()

    reader = Store(store.root)

    assert has(reader) and has(reader)
    assert 2 == len(digested)
    assert before == {p: (p.stat().st_mtime_ns, p.is_file() and p.read_bytes()) for p in store.root.rglob("*")}


def test_other_times_and_other_bytes_are_damage(store, big):
    path = store.publish(NODE, write(), {})
    (path / "note.txt").write_text("NOTE")

    assert not has(Store(store.root)) and not has(Store(store.root, write=True))


def test_a_reader_leaves_a_damaged_object_where_it_is(store):
    path = store.publish(NODE, write(), {})
    (path / "note.txt").write_text("NOTE")

    with pytest.raises(DamagedObject, match="is damaged") as caught:
        Store(store.root).read(NODE.key)

    assert "xfer run" in caught.value.hint
    assert path.is_dir() and not (store.root / "work" / "damaged").exists()


def test_an_object_under_another_key_is_not_taken_for_it(store):
    path = store.publish(NODE, write(), {})
    store.index.forget(NODE.key)
    path.rename(path.parent / (NODE.key[:-4] + "0000"))

    assert set() == Store(store.root).present([NODE.key[:-4] + "0000"])


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

    assert Store(store.root, write=True).index.get(NODE.key) is not None
    assert has(Store(store.root))


def test_an_index_without_rows_is_filled_from_the_objects(store):
    """A kill between making the file and filling it leaves one."""
    store.publish(NODE, write(), {})
    store.index.forget(NODE.key)

    assert Store(store.root, write=True).index.get(NODE.key) is not None


@pytest.mark.parametrize("writes", [True, False])
def test_an_index_that_another_run_holds_is_left_alone(store, monkeypatch, writes):
    monkeypatch.setattr(index, "WAIT", 0.05)
    holder = sqlite3.connect(store.root / "index.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreError, match="held by another process") as caught:
        Store(store.root, write=writes)

    holder.close()
    assert "when that is done" in caught.value.hint
    assert [] == list(store.root.glob("*broken*"))


@pytest.mark.parametrize("name", ["a#b", "a?mode=rwc", "a%20b", "a b"])
def test_the_path_of_a_store_may_have_any_name(tmp_path, name):
    store = Store(tmp_path / name, write=True)
    store.publish(NODE, write(), {})

    assert Store(tmp_path / name).index.get(NODE.key) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"preimage": {}},
        {"preimage": {"op": "model", "version": "1", "fields": {}}},
        {"preimage": None},
        {"files": []},
        {"files": {"note.txt": {"size": "4"}}},
        {"files": {"note.txt": 4}},
        {"made": "now"},
        {"made": float("nan")},
        {"format": None},
        {"surplus": 1},
    ],
)
def test_a_manifest_of_another_shape_is_a_damaged_object(store, change):
    path = store.publish(NODE, write(), {}) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    store.index.close()
    (store.root / "index.sqlite").unlink()

    assert not has(Store(store.root))
    assert not has(Store(store.root, write=True))
    with pytest.raises(ValueError, match="no manifest"):
        Manifest.from_json(path.read_bytes())


def test_bytes_that_are_no_record_are_no_manifest():
    with pytest.raises(ValueError, match="no manifest"):
        Manifest.from_json(b"[1]")


def test_a_garbage_index_does_not_stop_a_reader(store):
    store.publish(NODE, write(), {})
    store.index.close()
    (store.root / "index.sqlite").write_text("garbage " * 1000)

    assert has(Store(store.root))


def test_a_manifest_of_a_newer_format_is_not_taken_for_ours(store):
    path = store.publish(NODE, write(), {}) / "manifest.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 99'))
    store.index.forget(NODE.key)

    assert not has(Store(store.root))


def test_reading_a_store_that_is_not_there_makes_nothing(tmp_path):
    store = Store(tmp_path / "none")

    assert not has(store)
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


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def _plain(folder):
    (folder / "weights.bin").write_bytes(b"0" * 800_000)


def _safetensors(folder):
    safetensors = pytest.importorskip("safetensors.numpy")
    numpy = pytest.importorskip("numpy")
    safetensors.save_file({"weights": numpy.zeros(200_000, "float32")}, folder / "weights.safetensors")


def _arrow(folder):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"rows": list(range(100_000))})
    with pa.OSFile(str(folder / "rows.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize("body", [_plain, _safetensors, _arrow])
def test_a_full_disk_is_store_trouble_and_with_room_the_next_run_goes_on(tiny_disk, body):
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"0" * 500_000)
    store = Store(tiny_disk / "store", write=True)

    with pytest.raises(StoreError, match="cannot be used: no space left on device") as caught:
        store.publish(NODE, body, {})

    assert "--store" in caught.value.hint
    ballast.unlink()
    Store(tiny_disk / "store", write=True).publish(NODE, body, {})
    assert has(Store(tiny_disk / "store"))


def raising(error, cause=None):
    def body(_folder):
        raise error from cause

    return body


@pytest.mark.parametrize(
    "body",
    [
        raising(OSError(122, "Disk quota exceeded")),
        raising(OSError(30, "Read-only file system")),
        raising(RuntimeError("I/O error: Input/output error (os error 5)")),
        raising(OSError("Error writing bytes to file. Detail: [errno 28] No space left on device")),
        raising(ValueError("the weights cannot be saved"), OSError(28, "No space left on device")),
    ],
)
def test_a_disk_that_fails_inside_a_body_is_store_trouble(store, body):
    with pytest.raises(StoreError, match="cannot be used"):
        store.publish(NODE, body, {})


@pytest.mark.parametrize(
    "error",
    [
        ValueError("28 rows"),
        FileNotFoundError(2, "No such file"),
        MissingInput("a file is gone"),
        RuntimeError("os error 2"),
    ],
)
def test_other_failures_of_a_body_stay_what_they_are(store, error):
    with pytest.raises(type(error)) as caught:
        store.publish(NODE, raising(error), {})

    assert error is caught.value


KILLED = """
import os, signal, sys
from pathlib import Path
from runtime.store.objects import Store
from tests.runtime.test_store import NODE

def body(folder):
    (folder / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)

Store(Path(sys.argv[1]), write=True).publish(NODE, body, {})
"""


def _staged(root):
    return [p for p in (root / "work").iterdir() if p.name not in ("damaged", "leases")]


def test_what_a_killed_process_left_is_removed_a_minute_later(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=ROOT, check=False)
    (left,) = _staged(tmp_path)

    Store(tmp_path, write=True)
    assert [left] == _staged(tmp_path), "too young"

    old = time.time() - 120
    os.utime(left, (old, old))
    Store(tmp_path)
    assert [left] == _staged(tmp_path), "a reader removes nothing"
    Store(tmp_path, write=True)
    assert [] == _staged(tmp_path)


def test_staging_folders_of_the_living_and_of_other_hosts_are_left_alone(store, monkeypatch):
    mine = io.make_staging(store.root / "work", "mine")
    monkeypatch.setattr(io.platform, "node", lambda: "elsewhere")
    monkeypatch.setattr(io.os, "getpid", lambda: 2**22 + 1)  # above every process number
    theirs = io.make_staging(store.root / "work", "theirs")
    monkeypatch.undo()
    for folder in (mine, theirs):
        os.utime(folder, (1, 1))

    Store(store.root, write=True)

    assert {mine, theirs} == set(_staged(store.root))


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

    assert store.index.get(NODE.key) is not None
    with pytest.raises(StoreError, match="readonly"):
        Store(store.root).index.forget(NODE.key)
