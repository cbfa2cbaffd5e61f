"""A tripwire: the code that gives an op its meaning changed, and its version did not.

Results differ? Raise VERSION in compiler/keys.py (or a metric's version in compiler/catalog.py). Same results? Accept
the new digest with `XFER_ACCEPT=versions pytest tests/test_versions.py` and say so in the commit. Blind to changes in
libraries.
"""

import ast
import hashlib
import json
import os
from pathlib import Path

import pytest

from compiler.catalog import KINDS
from compiler.keys import VERSION
from compiler.ops import Baseline, Data, Model, Predict, Score, Select, Train

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "cases" / "op_versions.json"

# What computes each op's result: a file, and the definitions in it that matter (all of them when none are named).
MEANING = {
    Model: {
        "runtime/models.py": ("make", "_make_external", "_make_scratch"),
        "runtime/architectures.py": ("loading",),
        "compiler/architectures.py": (),
    },
    Data: {
        "runtime/encoding.py": (),
        "runtime/clusters.py": ("first_of",),
        "runtime/joining.py": (),
        "runtime/perturbing.py": (),
        "runtime/lacking.py": ("Named",),
        "runtime/templates.py": (
            *("_Generator", "_Sandbox", "_prefixed", "_recoded", "_join", "_measuring", "_environment", "Templates"),
            "_single_expression",
        ),
        "compiler/templates.py": ("restrict",),
        "runtime/sources.py": (),
        "runtime/formats.py": (),
        "runtime/columns.py": ("write",),
        "runtime/pooled.py": (),
        "runtime/kinds/labels.py": (),
        "runtime/kinds/texts.py": (),
        "runtime/world/parameters.py": (),
        "runtime/world/reality.py": (),
        "runtime/world/languages.py": (),
        "runtime/world/sounds.py": (),
        "runtime/world/morphology.py": (),
        "runtime/world/lexicon.py": (),
        "runtime/world/grammar.py": (),
        "runtime/world/telling.py": (),
        "runtime/world/questions.py": (),
        "runtime/world/texts.py": (),
        "runtime/world/stories.py": (),
        "runtime/world/causes.py": (),
        "runtime/world/entail.py": (),
        "runtime/world/words.py": (),
        "runtime/world/spans.py": (),
        "runtime/world/tags.py": (),
        "runtime/world/similar.py": (),
        "runtime/world/mining.py": (),
        "runtime/world/pool.py": (),
    },
    Train: {
        "runtime/training.py": (),
        "runtime/selecting.py": (),
        "runtime/feed.py": (),
        "runtime/mixing.py": (),
        "runtime/batches.py": (),
        "runtime/columns.py": ("concatenate", "_joined", "Columns", "_starts", "_ranges"),
        "runtime/models.py": (
            *(
                "load_encoder",
                "_from_pretrained",
                "read_special",
                "_called",
                "Network",
                "read_head",
                "head_file",
                "save",
            ),
        ),
        "runtime/architectures.py": ("of", "head_dropout", "norm_eps", "takes_segments", "loading"),
        "compiler/architectures.py": (),
    },
    Select: {
        "runtime/selecting.py": (),
        "runtime/evaluation.py": (),
        "runtime/models.py": ("load_heads", "_add_head"),
    },
    Predict: {
        "runtime/evaluation.py": (),
        "runtime/batches.py": ("hide", "micro_batches", "_cuts", "_pad"),
        "runtime/models.py": (
            *("load_network", "_add_head", "read_special", "_called", "Network", "read_head", "head_file"),
        ),
        "runtime/architectures.py": ("of", "takes_segments", "up_to", "_put", "_Embedded"),
        "compiler/architectures.py": (),
        "runtime/kinds/mining.py": (),
    },
    Baseline: {
        "runtime/baselines.py": (),
        "runtime/columns.py": ("concatenate", "_joined"),
        "runtime/models.py": ("read_special", "_called"),
    },
    Score: {
        "runtime/metrics.py": ("score", "_counted", "write"),
        "runtime/kinds/answers.py": (),
        "runtime/kinds/sums.py": ("whole_of", "averaged", "stacked", "ratio", "quotient"),
    },
}

# What a kind's file gives to each op: the arguments of its `Kind(…)`, with all that they use in that file.
OF_KINDS = {
    Data: ("encode", "pools"),
    Train: ("head", "loss"),
    Predict: ("head", "predict", "finish"),
    Score: ("metrics", "threshold"),
}


class _WithoutWords(ast.NodeTransformer):
    """Docstrings and annotations say, they do not do."""

    def _strip(self, node):
        self.generic_visit(node)
        if node.body and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
            node.body = node.body[1:] or [ast.Pass()]
        return node

    def visit_FunctionDef(self, node):
        node.returns = None
        for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
            argument.annotation = None
        return self._strip(node)

    def visit_ClassDef(self, node):
        return self._strip(node)


def _names(node):
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def reached(text, arguments):
    """The definitions of a kind's file that these arguments of its `Kind(…)` use, directly or not."""
    defined, kind = {}, None
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _names(node.targets[0]) == {"KIND"}:
            kind = node.value
    waiting = {n for k in kind.keywords if k.arg in arguments for n in _names(k.value)} & defined.keys()
    found = set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= (_names(defined[name]) & defined.keys()) - found
    return tuple(sorted(found))


def _of_kinds(op):
    """The files of the kinds, each with the definitions that give the op its meaning."""
    for name in KINDS if op in OF_KINDS else ():
        path = f"runtime/kinds/{name.replace('-', '_')}.py"
        yield path, reached((ROOT / path).read_text(), OF_KINDS[op])


def meaning(text, names):
    """A digest of the named definitions, without comments, layout, docstrings and annotations."""
    wanted, found = [], set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if not names or node.name in names:
                wanted.append(node)
                found.add(node.name)
        elif not names and isinstance(node, ast.Assign):
            wanted.append(node)
    assert set(names) <= found, f"no such definitions: {set(names) - found}"
    tree = _WithoutWords().visit(ast.Module(wanted, []))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


def _now():
    return {
        op.__name__: {
            "version": VERSION[op],
            "code": {
                path: meaning((ROOT / path).read_text(), names)
                for path, names in (*files.items(), *((path, found) for path, found in _of_kinds(op) if found))
            },
        }
        for op, files in MEANING.items()
    } | {"metrics": {name: {m: rule.version for m, rule in kind.metrics.items()} for name, kind in KINDS.items()}}


def test_code_that_changed_carries_a_new_version():
    now = _now()
    if os.environ.get("XFER_ACCEPT") == "versions":
        GOLDEN.write_text(json.dumps(now, indent=1) + "\n")
    accepted = json.loads(GOLDEN.read_text())

    changed = [
        f"{op} in {path}"
        for op, record in now.items()
        for path in record.get("code", ())
        if record["version"] == accepted[op]["version"] and record["code"][path] != accepted[op]["code"].get(path)
    ]

    assert [] == changed, __doc__
    assert accepted == now, f"a version was raised: accept it. {__doc__}"


def test_every_op_is_watched():
    assert set(VERSION) == set(MEANING)


def test_of_a_kind_all_is_watched_that_an_op_uses():
    text = (ROOT / "runtime" / "kinds" / "span_qa.py").read_text()

    assert {"encode", "_parts", "_window", "_targets", "Window"} <= set(reached(text, OF_KINDS[Data]))
    assert {"finish", "_best", "_most_context", "Head"} <= set(reached(text, OF_KINDS[Predict]))
    assert {"f1", "em", "_measured"} <= set(reached(text, OF_KINDS[Score]))
    assert "finish" not in reached(text, OF_KINDS[Train])


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ('def f(x):\n    """Other words."""\n    return x + 1  # a comment\n', True),
        ("def f(x: int) -> int:\n\n    return (x + 1)\n", True),
        ("def f(x):\n    return x + 2\n", False),
        ("def f(x):\n    return x - 1\n", False),
    ],
)
def test_the_tripwire_sees_code_and_not_words(changed, same):
    before = meaning('def f(x):\n    """Words."""\n    return x + 1\n', ())

    assert same == (before == meaning(changed, ()))
