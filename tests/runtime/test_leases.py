"""One writer a key; a holder that is gone holds nobody."""

import json
import os
import subprocess
import sys
import threading

import pytest
from msgspec.structs import asdict, replace

from runtime.errors import StoreError
from runtime.store import io, leases
from runtime.store.leases import Leases, holder, myself

KEY = "a" * 64


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def other():
    """Another process that lives."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    process.stdin.close()


def as_process(number):
    return replace(myself("other"), process=number, started=io.started(number))


def left_by(folder, found, age=0.0):
    """A lease file as its holder wrote it, `age` seconds ago."""
    path = folder / f"{KEY}.json"
    path.write_text(json.dumps(asdict(found)))
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))
    return path


def test_the_first_takes_it_and_the_second_hears_who(folder, other):
    theirs = as_process(other.pid)
    Leases(folder, theirs).take(KEY)

    mine = Leases(folder, myself("mine"))

    assert theirs == mine.take(KEY) == holder(folder, KEY)
    Leases(folder, theirs).release(KEY)
    assert mine.take(KEY) is None
    assert "mine" == holder(folder, KEY).run


def test_letting_go_of_what_is_not_ours_changes_nothing(folder, other):
    left_by(folder, as_process(other.pid))

    Leases(folder, myself()).release(KEY)

    assert other.pid == holder(folder, KEY).process


def test_a_dead_process_holds_nobody(folder, other):
    left_by(folder, as_process(other.pid))
    other.kill()
    other.wait()

    assert holder(folder, KEY) is None
    assert Leases(folder, myself()).take(KEY) is None


def test_a_killed_process_that_nobody_waited_for_holds_nobody(folder, other):
    left_by(folder, as_process(other.pid))
    other.kill()
    while io.started(other.pid):
        pass

    assert holder(folder, KEY) is None


def test_a_process_with_the_number_of_a_dead_one_does_not_hold(folder, other):
    left_by(folder, replace(as_process(other.pid), started="1"))

    assert holder(folder, KEY) is None
    assert Leases(folder, myself()).take(KEY) is None


def test_a_holder_elsewhere_lives_as_long_as_it_gives_signs(folder):
    elsewhere = replace(myself("far"), host="elsewhere.1", process=1, started="1")
    left_by(folder, elsewhere)
    assert elsewhere == holder(folder, KEY) == Leases(folder, myself()).take(KEY)

    left_by(folder, elsewhere, age=leases.SILENT + 1)

    assert holder(folder, KEY) is None
    assert Leases(folder, myself()).take(KEY) is None


def test_a_machine_of_the_same_name_is_another_one(folder):
    left_by(folder, replace(myself("far"), boot="another", process=2**22 + 1, started="1"))

    assert "far" == holder(folder, KEY).run


def test_a_clock_that_is_an_hour_off_takes_nothing_from_the_living(folder, monkeypatch):
    """Whether a holder elsewhere is silent is told by the file system's clock, not by ours."""
    left_by(folder, replace(myself("far"), host="elsewhere.1"))
    monkeypatch.setattr(io.time, "time", lambda: folder.stat().st_mtime + 3600)

    assert "far" == Leases(folder, myself()).take(KEY).run


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"host": "x"}', "null"])
def test_a_torn_lease_is_nobodys(folder, torn):
    (folder / f"{KEY}.json").write_text(torn)

    assert holder(folder, KEY) is None
    assert Leases(folder, myself()).take(KEY) is None


def test_what_is_held_is_kept_alive(folder, monkeypatch):
    monkeypatch.setattr(leases, "BEAT", 0.01)
    mine = Leases(folder, myself())
    mine.take(KEY)
    path = folder / f"{KEY}.json"
    os.utime(path, (1, 1))

    for _ in range(1000):
        if path.stat().st_mtime > 1:
            break
        threading.Event().wait(0.01)

    assert path.stat().st_mtime > 1
    mine.release(KEY)


def test_of_many_that_ask_at_once_one_gets_it(folder):
    """Also where a dead process left the lease: taking over is one step."""
    left_by(folder, replace(myself("dead"), process=2**22 + 1, started="1"))
    holders = [replace(myself(str(n)), since=float(n)) for n in range(8)]
    got, start = [], threading.Barrier(len(holders))

    def ask(found):
        start.wait()
        if Leases(folder, found).take(KEY) is None:
            got.append(found.run)

    threads = [threading.Thread(target=ask, args=(h,)) for h in holders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len(got)
    assert got == [holder(folder, KEY).run]


def test_a_full_disk_is_trouble_of_the_store(folder, monkeypatch):
    def full(what, _path):
        if what == "write":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(io, "at_point", full)

    with pytest.raises(StoreError, match="no space left"):
        Leases(folder, myself()).take(KEY)
