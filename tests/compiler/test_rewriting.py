"""Laws over valid specs of the whole language: what is written otherwise and means the same has the same keys."""

import re
import shutil
from random import Random

import pytest

from compiler.plan import verify
from dsl.parse import parse
from dsl.source import Source
from dsl.syntax import Declaration, Experiment, Group, Let, Ref, Suite
from tests.compiling import plan_of
from tests.conftest import ALL
from tests.fuzzing import valid

SEEDS = range(150 if ALL else 50)


def statements(text):
    """The statements of a spec with their texts."""
    spec, found = parse(Source("spec.xfer", text))
    assert () == found
    return [(s, s.span.text) for s in spec.statements]


def keys(text, folder):
    return {n.key for n in plan_of(text, folder).nodes}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_statements_moves_no_key_and_plans_keep_their_promises(seed, folder):
    text = valid(seed)
    plan = plan_of(text, folder)
    texts = [t for _, t in statements(text)]
    Random(seed).shuffle(texts)

    assert [] == verify(plan)
    assert {n.key for n in plan.nodes} == keys("\n".join(texts), folder)


@pytest.mark.parametrize("seed", SEEDS)
def test_naming_a_stage_moves_no_key(seed, folder):
    """Every stage of a chain that is one task gets a name of its own."""
    text, names = valid(seed), {}
    known = {s.name.text for s, _ in statements(text) if isinstance(s, Let | Suite)}
    for statement, _ in reversed(statements(text)):
        if isinstance(statement, Experiment):
            for stage in reversed(statement.chain.stages):
                match stage.parts:
                    case (Ref() as part,) if not stage.settings and part.name.text not in known:
                        name = f"named-{len(names)}"
                        names[name] = part.span.text
                        text = text[: part.span.start] + name + text[part.span.end :]
    lets = "\n".join(f"let {name} = {stage}" for name, stage in names.items())

    assert keys(valid(seed), folder) == keys(f"{text}\n{lets}\n", folder)
    assert names or seed


@pytest.mark.parametrize("seed", SEEDS)
def test_writing_a_let_out_moves_no_key(seed, folder):
    """One that holds no choice: the place of a choice is an axis, and two places are two."""
    text = valid(seed)
    for statement, _ in statements(text):
        if isinstance(statement, Let) and "{" not in (written := statement.stage.span.text):
            declared = text[: statement.span.start] + text[statement.span.end :]
            text = re.sub(rf"(?<![\w-]){statement.name.text}(?![\w-])", written, declared)
            break

    assert keys(valid(seed), folder) == keys(text, folder)


@pytest.mark.parametrize("seed", SEEDS[:40])
def test_a_spec_in_two_files_has_the_keys_of_one(seed, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "s", symlinks=True)
    apart = [t for s, t in statements(valid(seed)) if isinstance(s, Declaration | Group | Let | Suite)]
    here = [t for s, t in statements(valid(seed)) if not isinstance(s, Declaration | Group | Let | Suite)]
    (tmp_path / "s" / "apart.xfer").write_text("\n".join(apart))

    assert keys(valid(seed), folder) == keys('use "apart.xfer"\n' + "\n".join(here), tmp_path / "s")


@pytest.mark.parametrize("seed", SEEDS)
def test_another_seed_and_another_alternative_keep_every_old_key(seed, folder):
    text = valid(seed)
    more = re.sub(r"seeds: (\d+)", lambda found: f"seeds: {int(found[1]) + 1}", text)
    more = re.sub(r"(let early = \{)", r"\1fresh: c(epochs: 9) -> a | ", more)

    assert more != text
    assert keys(text, folder) <= keys(more, folder)
