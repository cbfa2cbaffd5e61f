"""A tripwire: the code that gives an op its meaning changed, and its version did not.

Results differ? Raise VERSION (or METRIC_VERSION) in compiler/keys.py. Same results? Accept the new digest with
`XFER_ACCEPT=versions pytest tests/test_versions.py` and say so in the commit. Blind to changes in libraries.
"""

import ast
import hashlib
import json
import os
from pathlib import Path

import pytest

from compiler.keys import METRIC_VERSION, VERSION
from compiler.ops import Baseline, Data, Model, Predict, Score, Select, Train

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "cases" / "op_versions.json"

# What computes each op's result: a file, and the definitions in it that matter (all of them when none are named).
MEANING = {
    Model: {"runtime/models.py": ("make", "_make_external", "_make_scratch")},
    Data: {
        "runtime/encoding.py": (),
        "runtime/joining.py": (),
        "runtime/perturbing.py": (),
        "runtime/templates.py": (
            *("_Generator", "Named", "_Sandbox", "_prefixed", "_join", "_measuring", "_environment", "Templates"),
            "_single_expression",
        ),
        "compiler/templates.py": ("restrict",),
        "runtime/sources.py": (),
        "runtime/formats.py": (),
        "runtime/columns.py": ("write",),
        "runtime/kinds/multiple_choice.py": ("encode", "_pair", "_texts", "_text", "_label"),
        "runtime/kinds/masked_lm.py": ("encode",),
        "runtime/kinds/classification.py": ("encode", "longest_first", "_label"),
        "runtime/kinds/retrieval.py": ("encode",),
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
        "runtime/models.py": ("load_encoder", "read_special", "Network", "read_head", "head_file", "save"),
        "runtime/kinds/multiple_choice.py": ("Head", "head", "loss", "_scores"),
        "runtime/kinds/masked_lm.py": ("Head", "head", "loss", "_chosen"),
        "runtime/kinds/classification.py": ("Head", "head", "loss"),
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
            *("load_network", "_add_head", "_up_to", "read_special", "Network", "read_head", "head_file"),
        ),
        "runtime/kinds/multiple_choice.py": ("Head", "predict", "_scores"),
        "runtime/kinds/masked_lm.py": ("Head", "predict", "_chosen"),
        "runtime/kinds/classification.py": ("Head", "predict"),
        "runtime/kinds/retrieval.py": ("Pool", "predict", "finish", "search", "_unit"),
    },
    Baseline: {
        "runtime/baselines.py": (),
        "runtime/columns.py": ("concatenate", "_joined"),
        "runtime/models.py": ("read_special",),
    },
    Score: {
        "runtime/metrics.py": (),
        "runtime/kinds/multiple_choice.py": ("accuracy",),
        "runtime/kinds/masked_lm.py": ("accuracy",),
        "runtime/kinds/classification.py": ("accuracy",),
        "runtime/kinds/retrieval.py": ("accuracy",),
    },
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
            "code": {path: meaning((ROOT / path).read_text(), names) for path, names in files.items()},
        }
        for op, files in MEANING.items()
    } | {"metrics": METRIC_VERSION}


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
