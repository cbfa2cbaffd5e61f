"""Worker processes: their own process groups, the GPU that the scheduler gives them, no more than memory allows."""

import os
import time

import pytest
from msgspec.structs import replace

from compiler.ops import PythonRows, Scratch
from compiler.plan import Device
from runtime.engine import capacity
from runtime.engine.local import LocalEngine, _ending
from runtime.engine.messages import Died, Failed, Finished, Ran
from runtime.engine.worker import Job
from runtime.store.io import digest
from runtime.store.objects import Store
from tests import plans
from tests.compiling import EMBEDDED as WORLD
from tests.compiling import plan_of

EMBEDDED = WORLD / "babel-mini"
TELLS = """\
import os, pathlib, time
def rows(split, language):
    here = pathlib.Path(os.environ["XFER_TEST_FOLDER"])
    facts = [os.environ.get("CUDA_VISIBLE_DEVICES", "unset"), str(os.getpid()), str(os.getpgid(0))]
    (here / f"{language}.told").write_text(" ".join(facts))
    print("said by a library")
    deadline = time.monotonic() + 20
    while len(list(here.glob("*.told"))) < int(os.environ["XFER_TEST_BOTH"]) and time.monotonic() < deadline:
        time.sleep(0.01)
    yield {"choice0": "a", "choice1": "b", "label": 0}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("XFER_TEST_FOLDER", str(tmp_path))
    monkeypatch.setenv("XFER_TEST_BOTH", "1")
    (tmp_path / "rows.py").write_text(TELLS)
    return tmp_path


def plan_in(here):
    """A model and two data sets, whose rows tell what their process sees."""
    module = digest(here / "rows.py")
    b = plans.Builder()
    op = plans.model()
    b_model = replace(
        op, source=replace(op.source, tokenizer=(("tokenizer.json", digest(EMBEDDED / "tokenizer.json")),))
    )
    m = b.add(b_model, "model")
    for language in ("qaa", "qab"):
        rows = PythonRows(module, "rows", 1, "train", language)
        b.add(replace(plans.data(m, language=language), sources=(("", (rows,)),)), language)
    return b.plan()


def engine(here, **more):
    store = Store(here / "store", write=True)
    (here / "store" / "runs" / "r").mkdir()
    embedded = {digest(p): p for p in (here / "rows.py", EMBEDDED / "tokenizer.json")}
    log = here / "store" / "runs" / "r" / "worker.log"
    job = Job(store.root, embedded, "cpu", {}, allow_code=True, save_every=60, run="r", cores=1, log=log)
    return store, LocalEngine(job, **more)


def told(running, until):
    """Messages until there are so many ends of groups."""
    found, patience = [], time.monotonic() + 60
    while sum(isinstance(m, Finished) for m in found) < until:
        assert time.monotonic() < patience, found
        found += running.poll(0.1)
    return found


@pytest.mark.ml
def test_each_worker_sees_the_gpu_it_was_given_and_leads_its_own_group(here, monkeypatch):
    monkeypatch.setenv("XFER_TEST_BOTH", "2")
    _, running = engine(here, jobs=2, gpus=("7", "GPU-abc"))
    model, *data = plan_in(here).nodes
    running.submit([model])
    told(running, 1)
    for node in data:
        assert running.has_room([node])
        running.submit([node])
    assert not running.has_room([model])
    messages = told(running, 2)
    running.close()

    assert not [m for m in messages if isinstance(m, Failed)]
    facts = [(here / f"{language}.told").read_text().split() for language in ("qaa", "qab")]
    assert {"7", "GPU-abc"} == {gpu for gpu, _, _ in facts}
    assert all(process == group and int(group) != os.getpgid(0) for _, process, group in facts)
    assert 2 == len({process for _, process, _ in facts})
    logs = "".join(p.read_text() for p in (here / "store" / "runs" / "r").glob("worker-*.log"))
    assert 2 == logs.count("said by a library")


@pytest.mark.ml
def test_a_worker_that_ends_is_told_of_and_another_takes_its_place(here):
    store, running = engine(here, jobs=1)
    model = plan_in(here).nodes[0]
    running.submit([model])
    os.kill(running._workers[0].process.pid, 9)

    died, finished = told(running, 1)
    assert Died((model.key,), "was killed by SIGKILL", died.log) == died and Finished() == finished
    running.submit([model])
    assert Ran(model.key) in told(running, 1)
    running.close()
    assert store.path(model.key).is_dir()


def test_one_more_starts_only_where_memory_allows(here):
    _, running = engine(here, jobs=4, fits=lambda _: False)
    model, *_ = plan_in(here).nodes

    assert running.has_room([model]), "one always runs"
    running.submit([model])
    assert not running.has_room([model])
    running.close(at_once=True)


def test_a_worker_is_not_started_for_what_is_done_sooner(here, monkeypatch):
    from runtime.engine import local

    _, running = engine(here, jobs=2, long=lambda _: False)
    model, *_ = plan_in(here).nodes
    running.submit([model])
    assert not running.has_room([model])

    monkeypatch.setattr(local, "_WORTH", -1.0)
    assert running.has_room([model]), "the other has been busy for long enough"
    running.close(at_once=True)


def test_an_ending_is_told_in_words():
    assert "was killed by SIGTERM" == _ending(-15)
    assert "ended with code 3" == _ending(3)


def plan_of_model(layers=2, width=64, feedforward=256):
    sizes = f"layers: {layers}, width: {width}, heads: 4, feedforward: {feedforward}, positions: 96"
    source = f'scratch({sizes}, seed: 1, tokenizer: embedded("babel-mini"))'
    return plan_of(f"model n {{ weights: {source} }}\nn -> w-causes")


def test_small_models_get_a_worker_a_core_and_large_ones_one_in_all():
    small, large = plan_of_model(), plan_of_model(layers=12, width=768, feedforward=3072)

    assert capacity.usable_cores() == capacity.workers(small)[1]
    assert 1 == capacity.workers(large)[1]
    assert 84_000_000 < capacity.largest(large) < 90_000_000
    assert capacity.needed_memory(small) < capacity.needed_memory(large)
    assert isinstance(small.nodes[0].op.source, Scratch)


def test_a_model_of_unknown_size_counts_as_large():
    unpinned = plan_of('model n { weights: hf("a/b") }\nn -> w-causes')

    assert capacity.SMALL == capacity.largest(unpinned)
    assert 1 == capacity.workers(unpinned)[1]


def test_gpus_are_those_that_the_environment_leaves(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, GPU-abc")
    assert ("2", "GPU-abc") == capacity.gpus()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert () == capacity.gpus()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(capacity, "which", lambda _: None)
    assert () == capacity.gpus()


def test_a_gpu_has_one_worker(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, GPU-abc")
    plan = replace(plan_of_model(), device=Device("cuda", "NVIDIA H100", bf16=True))

    gpus = ("2", "GPU-abc")
    assert [(gpus, 2), (gpus, 1), (gpus, 2)] == [capacity.workers(plan, asked) for asked in (None, 1, 8)]


def test_free_memory_is_what_the_system_says():
    assert 0 < capacity.available_memory() < 2**50
