"""Specs compiled in a folder of small files: the compiler only hashes them."""

from pathlib import Path

from compiler.ops import Data, Model, Predict, Score, Train
from compiler.pipeline import compile_text
from compiler.places import Places
from compiler.plan import Device
from dsl.diagnostics import Severity
from dsl.source import Source

EMBEDDED = Path(__file__).resolve().parents[1] / "runtime" / "world"
CPU = Device("cpu", "cpu", bf16=False)
GPU = Device("cuda", "NVIDIA H200", bf16=True)
MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json")

# Three tasks and a benchmark over files, and two models; `prelude` is what tests put before their chains.
INPUT = 'input: { choices: ["{{ one }}", "{{ two }}"], label: "{{ label }}" }'
PRELUDE = f"""
model m {{ weights: dir("m") }}
model n {{ weights: dir("n") }}
task a : multiple-choice {{ data: files("a/{{{{ language }}}}/{{{{ split }}}}.jsonl")
  source: en languages: [en, de, sw] {INPUT} }}
task b : a {{ data: files("b/{{{{ language }}}}/{{{{ split }}}}.jsonl") }}
task c : a {{ data: files("c/{{{{ language }}}}/{{{{ split }}}}.jsonl") settings: {{ epochs: 7, max-length: 64 }} }}
task t : masked-lm {{ data: files("t/{{{{ split }}}}.jsonl") source: en input: {{ text: "{{{{ text }}}}" }} }}
benchmark x : c {{ data: files("x/{{{{ language }}}}/{{{{ split }}}}.jsonl") languages: [en, de, sw, ta] }}
"""


def write_files(folder):
    """The files of PRELUDE and some that are wrong, each with bytes of its own."""
    for model in ("m", "n"):
        _write(folder, *(f"{model}/{name}" for name in MODEL_FILES))
    _write(folder, "pickled/config.json", "pickled/tokenizer.json", "pickled/pytorch_model.bin")
    _write(folder, "weightless/config.json", "weightless/tokenizer.json")
    _write(folder, "untokened/config.json", "untokened/model.safetensors")
    _write(folder, "t/train.jsonl", "t/dev.jsonl", "rows.py", "plain.txt")
    (folder / "twice.txt").write_text("yes\nno\nyes\n")
    (folder / "nothing.txt").write_text("\n\n")
    (folder / "latin.txt").write_bytes("dé\n".encode("latin-1"))
    for task, languages, splits in (
        ("a", ("en", "de", "sw"), ("train", "dev")),
        ("b", ("en", "de", "sw"), ("train", "dev")),
        ("c", ("en", "de", "sw"), ("train", "dev")),
        ("x", ("en", "de", "sw", "ta"), ("dev", "test")),
    ):
        _write(folder, *(f"{task}/{code}/{split}.jsonl" for code in languages for split in splits))


def _write(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def compiled(text, folder=Path("/nowhere"), device=CPU, **places):
    """The text compiled as `spec.xfer` in the folder."""
    return compile_text(Source("spec.xfer", text), Places(folder, embedded=EMBEDDED, **places), device)


def plan_of(text, folder=Path("/nowhere"), device=CPU, **places):
    """The plan; errors fail the test."""
    result = compiled(text, folder, device, **places)

    assert [] == [f"{d.code} {d.primary.span}: {d.message}" for d in result.diagnostics if d.severity is Severity.ERROR]
    assert result.plan is not None
    return result.plan


def found(text, folder=Path("/nowhere"), **places):
    """(code, marked text) of every finding but what is declared and never used."""
    result = compiled(text, folder, **places)
    return [(d.code, d.primary.span.text) for d in result.diagnostics if d.code != "X0207"]


def nodes(plan, sort):
    """The nodes of one op."""
    return [n for n in plan.nodes if isinstance(n.op, sort)]


def trainings(plan):
    """The ops of the trainings."""
    return [n.op for n in nodes(plan, Train)]


def counts(plan):
    """How many nodes of each op."""
    return tuple(len(nodes(plan, sort)) for sort in (Model, Data, Train, Predict, Score))


def train_labels(plan):
    """The labels of the trainings, without the model and the seed."""
    return [n.label.split(" -> ", 1)[1].rsplit(" (", 1)[0] for n in nodes(plan, Train)]


def axes(plan):
    """The values of the axes of each cell, the seed included, in order and once."""
    return list(dict.fromkeys((*c.axes, ("seed", c.seed)) for c in plan.cells))
