"""The GPU suite: does CUDA compute what the CPU computes, and what does a step of a large model cost there?

    python -m bench.gpu [--device cuda] [--shape large] [--steps 60] [--out FILE]

1. The quickstart on the device, and its checkpoints' predictions on the CPU: share of equal answers.
2. Checkpoints that dev data chose on the device, of all weights and of the head alone; their scores on the CPU again.
3. Every kind of task for some steps on the device; what its scores differ by when the CPU predicts.
4. One training of the same recipe on both: losses of the first steps side by side.
5. An XLM-R-shaped model with random weights through the product's own training loop: seconds a step, real tokens a
   second, peak memory, in bf16 and fp32.

Prints one JSON document. With `--device cpu --shape tiny` it checks itself on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModel

import xfer
from compiler.keys import node_key
from compiler.ops import Part, Predict, Score, Select, Train
from runtime import columns, evaluation, models, selecting, training
from runtime.bodies import own_of
from runtime.feed import Feed
from runtime.kinds import kinds
from runtime.kinds.kind import Special
from runtime.metrics import PREDICTIONS

SPEC = Path(__file__).resolve().parent.parent / "specs" / "quickstart.xfer"
SHAPES = {  # layers, width, heads, vocabulary, batch
    "tiny": (2, 64, 4, 1_000, 8),
    "base": (12, 768, 12, 250_002, 32),
    "large": (24, 1024, 16, 250_002, 32),
}


def quickstart(device: str, folder: Path) -> dict[str, Any]:
    """Run the quickstart on `device`; how often its checkpoints answer the same on the CPU."""
    study = xfer.compile(SPEC, xfer.Options(store=folder, device=device))
    started = time.perf_counter()
    report = xfer.run(study)
    seconds = time.perf_counter() - started
    same = [_agreement(node.op, study) for node in report.ran if isinstance(node.op, Predict)]
    return {
        "seconds": round(seconds, 1),
        "failed": [str(f) for f in report.failed],
        "scores": len(xfer.rows(study)[0]),
        "equal_answers_on_cpu": round(float(np.mean(same)), 5) if same else None,
    }


CHOOSING = """\
defaults { batch: 16, lr: 6e-4, warmup: 30%, epochs: 3 }
one: babel-mini -> w-causes(tune: {full | head}, select: best) @ w-causes[qaa](split: dev)
each: babel-mini -> w-causes(lr: best {6e-4 | 1e-7}, select: best(on: target)) @ w-xcauses[qab, qal]
"""


def choosing(device: str, folder: Path) -> dict[str, Any]:
    """Choose checkpoints on `device`; the largest difference of a candidate's score from what the CPU gives it."""
    (folder / "choosing.xfer").write_text(CHOOSING, encoding="utf-8")
    study = xfer.compile(folder / "choosing.xfer", xfer.Options(store=folder / "chosen", device=device))
    report = xfer.run(study)
    store = study.store()
    differences = [d for n in study.plan.nodes if isinstance(n.op, Select) for d in _differences(n.op, store)]
    scores = {r.cell.axes[-1][1]: r.value for r in xfer.rows(study)[0] if r.cell.experiment == "one"}
    return {
        "failed": [str(f) for f in report.failed],
        "candidates": len(differences),
        "largest_difference_on_cpu": max(differences, default=None),
        "dev_accuracy": scores,
    }


KINDS = """\
defaults { steps: 60 }
classes: babel-mini -> w-entail @ w-xentail[qaa, qab]
spans: babel-mini -> w-spans @ w-xspans[qaa, qab]
tags: babel-mini -> w-tags @ w-xtags[qaa, qab]
values: babel-mini -> w-similar @ w-xsimilar[qaa, qab]
text: babel-mini -> w-text @ w-text[qaa, qab]
pools: babel-mini @ w-pool[qab, qal]
"""


def every_kind(device: str, folder: Path) -> dict[str, Any]:
    """Train and score every kind on `device`; by kind the largest difference of a score from what the CPU gives."""
    (folder / "kinds.xfer").write_text(KINDS, encoding="utf-8")
    study = xfer.compile(folder / "kinds.xfer", xfer.Options(store=folder / "kinds", device=device))
    report = xfer.run(study)
    apart: dict[str, float] = {}
    by_key = {n.key: n.op for n in study.plan.nodes}
    for op in by_key.values():
        if isinstance(op, Score) and isinstance(asked := by_key[op.predictions], Predict):
            apart[asked.kind] = max(apart.get(asked.kind, 0.0), _apart(op, asked, study))
    return {"failed": [str(f) for f in report.failed], "largest_difference_on_cpu": apart}


def _apart(op: Score, asked: Predict, study: xfer.Study) -> float:
    """How far a score without a threshold is from that of the CPU's predictions."""
    metric = kinds()[asked.kind].metrics[op.metric]
    one, other = _on_both(asked, study)
    return abs(metric(one).value - metric(other).value)


def _on_both(op: Predict, study: xfer.Study) -> tuple[Any, Any]:
    """The predictions of stored weights as the CPU makes them, and as they are stored."""
    store, weights = study.store(), study.store().read(op.weights)
    network = models.load_network(weights, study.plan.files, op.kind, op.head, op.vectors)
    special = models.read_special(weights, network.encoder.config)
    data, how = columns.read(store.read(op.data)), {"mask": op.mask, "own": own_of(op)}
    found = evaluation.predict(network, data, special, device="cpu", precision="fp32", **how)
    return found, columns.read_table(store.read(node_key(op)) / PREDICTIONS)


def _differences(op: Select, store: Any) -> list[float]:  # noqa: ANN401
    """Of each candidate of a choice how far the score that was recorded is from the CPU's."""
    recorded = json.loads((store.read(node_key(op)) / selecting.SELECTED).read_text(encoding="utf-8"))
    data = {key: columns.read(store.read(key)) for judge in op.judges for key in judge.data}
    found = []
    for candidate in recorded:
        folder = selecting.checkpoints(store.read(candidate["training"]))[candidate["step"]]
        network, heads = models.load_heads(folder, {}, {j.head: j.kind for j in op.judges})
        special = models.read_special(folder, network.encoder.config)
        score = selecting.Bench(op.judges, data, special, "cpu", "fp32").score(network, heads)
        found.append(abs(score - candidate["score"]))
    return found


def _agreement(op: Predict, study: xfer.Study) -> float:
    """Share of stored predictions that the CPU gives too."""
    one, other = (table.column("prediction").to_numpy() for table in _on_both(op, study))
    return float((one == other).mean())


def _network(shape: str) -> models.Network:
    layers, width, heads, vocabulary, _ = SHAPES[shape]
    config = AutoConfig.for_model(
        "xlm-roberta",
        vocab_size=vocabulary,
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=514,
        type_vocab_size=1,
        pad_token_id=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    torch.manual_seed(1)
    return models.Network(AutoModel.from_config(config, add_pooling_layer=False), "multiple-choice")


def _examples(shape: str, folder: Path) -> columns.Columns:
    """COPA-shaped rows: two choices, lengths from 12 to 60 tokens."""
    random = np.random.default_rng(1)
    vocabulary = SHAPES[shape][3]
    rows = []
    for row in range(256):
        sequences = tuple(random.integers(4, vocabulary, random.integers(12, 60)).tolist() for _ in range(2))
        rows.append(columns.Example(row, sequences, tuple([0] * len(s) for s in sequences), row % 2))
    folder.mkdir(exist_ok=True)
    columns.write(folder, rows)
    return columns.read(folder)


def _train(shape: str, examples: columns.Columns, device: str, precision: str, steps: int) -> dict[str, Any]:
    op = Train(
        parent="", parts=(Part("multiple-choice", (), (), "new", None),), mix=None, length=("steps", steps),
        batch=SHAPES[shape][4], lr=1e-5, warmup=0.1, schedule="linear", weight_decay=0.01, eps=1e-8, clip=1.0,
        optimizer="adamw", dropout=0.0, seed=1, precision=precision,
    )  # fmt: skip
    network = _network(shape)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    read: list[tuple[int, float]] = []  # when a loss was read, the device had done all steps until then
    special = Special(1, None, SHAPES[shape][3], frozenset({0, 1, 2}))
    feed = Feed(op, [[examples]], special)
    curve = training.train(
        op, network, feed, device=device, on_step=lambda at: read.append((at.step, time.perf_counter()))
    )
    seconds = _seconds_a_step(read)
    tokens = float(np.diff(examples.sequence_starts).mean()) * 2 * op.batch
    return {
        "seconds_a_step": round(seconds, 4) if seconds else None,
        "real_tokens_a_second": round(tokens / seconds) if seconds else None,
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if device == "cuda" else None,
        "losses": [round(p.loss, 5) for p in curve[:5]],
    }


def _seconds_a_step(read: list[tuple[int, float]]) -> float | None:
    """The median over the stretches between two reads, so that what comes before the first, warming up, is left out."""
    stretches = np.diff(np.array(read), axis=0)
    return float(np.median(stretches[:, 1] / stretches[:, 0])) if len(stretches) else None


def main() -> int:
    """Run the suite; exit 1 when the device and the CPU disagree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--shape", default="large", choices=list(SHAPES))
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--out", type=Path, default=None)
    chosen = parser.parse_args()
    if chosen.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device here: nothing measured", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = _measure(chosen.device, chosen.shape, chosen.steps, Path(folder))
    text = json.dumps(found, indent=1)
    print(text)
    if chosen.out is not None:
        chosen.out.write_text(text + "\n", encoding="utf-8")
    return 0 if found["agrees"] else 1


def _measure(device: str, shape: str, steps: int, folder: Path) -> dict[str, Any]:
    small, large = _examples("tiny", folder / "small"), _examples(shape, folder / "large")
    found: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "torch": torch.__version__,
        "quickstart": quickstart(device, folder / "store"),
        "choosing": choosing(device, folder),
        "every_kind": every_kind(device, folder),
        "same_recipe": {d: _train("tiny", small, d, "fp32", 5)["losses"] for d in dict.fromkeys((device, "cpu"))},
        shape: {p: _train(shape, large, device, p, steps) for p in ("bf16", "fp32")},
    }
    losses = list(found["same_recipe"].values())
    close = bool(np.allclose(losses[0], losses[-1], rtol=1e-3))
    equal = found["quickstart"]["equal_answers_on_cpu"]
    apart = found["choosing"]["largest_difference_on_cpu"]
    whole = not any(found[part]["failed"] for part in ("quickstart", "choosing", "every_kind"))
    whole = whole and all(by <= 0.02 for by in found["every_kind"]["largest_difference_on_cpu"].values())
    found["agrees"] = close and whole and equal is not None and equal >= 0.99 and apart is not None and apart <= 0.01
    return found


if __name__ == "__main__":
    sys.exit(main())
