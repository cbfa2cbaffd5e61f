"""Small plans made by hand, and bodies that write a line instead of training."""

import time
from pathlib import Path

from compiler.keys import is_pinned, node_key
from compiler.ops import Data, Model, Part, Predict, Score, Scratch, Train, WorldRows, inputs
from compiler.plan import Device, Node, Place, Plan
from runtime import executor
from runtime.contents import names
from runtime.engine.messages import Finished
from runtime.engine.work import Desk, work
from runtime.executor import Manner
from runtime.store.leases import Leases, myself

PLACE = Place("spec.xfer", 1, 1, 4, "text of the line")
CPU = Device("cpu", "cpu", bf16=False)


def model(seed=1):
    return Model(Scratch("xlm-roberta", 1, 16, 2, 32, 64, 0.1, seed, (("tokenizer.json", "0" * 64),)))


def data(model_key, split="train", language="qaa", limit=None, scored=False):
    rows = (WorldRows("causes", split, language, 5, 1, 1.0, None, None),)
    fields = (("choices", ("{{ choice0 }}", "{{ choice1 }}")), ("label", "{{ label }}"))
    return Data(
        model=model_key,
        kind="multiple-choice",
        sources=(("", rows),),
        join=None,
        filter=None,
        language=language,
        code=language,
        split=split,
        fields=fields,
        labels=(),
        max_length=32,
        prefix="",
        limit=limit,
        scored=scored,
    )


def train(parent, *data_keys, lr=1e-3, seed=1, **changes):
    """One part of multiple choice over all the data, or as `changes` say: those of a part go to it."""
    part = {"kind": "multiple-choice", "labels": (), "head": "new", "mask": None}
    part |= {key: changes.pop(key) for key in tuple(changes) if key in part}
    settings = {
        "parts": (Part(data=data_keys, **part),),
        "mix": None,
        "length": ("steps", 3),
        "batch": 4,
        "warmup": 0.1,
        "schedule": "linear",
        "weight_decay": 0.01,
        "eps": 1e-8,
        "clip": 1.0,
        "optimizer": "adamw",
        "dropout": 0.0,
        "precision": "fp32",
    }
    return Train(parent=parent, lr=lr, seed=seed, **{**settings, **changes})


class Builder:
    """Collects nodes in order and gives each op's key back."""

    def __init__(self):
        self.nodes = {}

    def add(self, op, label=""):
        key = node_key(op)
        pinned = is_pinned(op) and all(self.nodes[k].pinned for k in inputs(op))
        self.nodes.setdefault(key, Node(key, op, inputs(op), label or type(op).__name__, pinned, PLACE, {"lr": PLACE}))
        return key

    def plan(self, cells=()):
        return Plan("spec.xfer", CPU, tuple(self.nodes.values()), tuple(cells), (), {}, {}, 0)


def study(lr=1e-3, seeds=(1,), languages=("qaa", "qab")):
    """model -> causes, evaluated in some languages, for some seeds."""
    b = Builder()
    m = b.add(model(), "model")
    train_data = b.add(data(m), "data train")
    tests = [b.add(data(m, "test", language, scored=True), f"data {language}") for language in languages]
    for seed in seeds:
        weights = b.add(train(m, train_data, lr=lr, seed=seed), f"train {seed}")
        for test, language in zip(tests, languages, strict=True):
            p = b.add(Predict(weights, test, "multiple-choice", 0, "fp32", None, None), f"predict {seed} {language}")
            b.add(Score(p, "accuracy", 1), f"score {seed} {language}")
    return b.plan()


class LineBodies:
    """Writes each node's label into a file; fails where it is told to."""

    def __init__(self, fails=()):
        self.fails, self.ran = set(fails), []

    def provenance(self):
        return {"device": "none"}

    def __call__(self, group, inputs, desk):
        def writer(node):
            def write(folder: Path):
                if node.label in self.fails:
                    raise ValueError(f"{node.label} was told to fail")
                self.ran.append(node.label)
                (folder / "line.txt").write_text(node.label)

            return write

        assert all(path.is_dir() for path in inputs.values())
        for node in group:
            yield writer(node)


class Inline:
    """An engine of one place, in this process: a group is done when `submit` returns."""

    def __init__(self, bodies, desk):
        self._bodies, self._desk = bodies, desk
        self._told = []
        self._stopping = False
        desk.send = self._told.append
        desk.stopping = lambda: self._stopping

    def has_room(self, group):
        """Always: groups run one after the other."""
        return not self._told

    def submit(self, group):
        """Do the group."""
        work(group, self._bodies, self._desk)
        self._told.append(Finished())

    def poll(self, timeout):
        """What was told."""
        if not self._told:
            time.sleep(timeout)
        told = list(self._told)
        self._told.clear()
        return told

    def stop(self):
        """Halt what runs next."""
        self._stopping = True

    def close(self, *, at_once=False):
        """Nothing to let go of."""


AS_IT_COMES = Manner()


def run(plan, store, bodies, *tell, stop=None, manner=AS_IT_COMES):
    """Run a plan in this process."""
    desk = Desk(store, Leases(store.leases, myself()), print, run="an-earlier-run", names=names(plan))
    return executor.run(plan, store, Inline(bodies, desk), *tell, stop=stop, manner=manner)
