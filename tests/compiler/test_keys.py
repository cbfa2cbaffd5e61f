"""Keys: what moves one, what must not, and that a known one never moves."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from compiler.keys import VERSION, key_of, node_key, preimage
from compiler.ops import (
    Baseline,
    Data,
    FileRows,
    Folder,
    HubModel,
    HubRows,
    Judge,
    Keep,
    Limit,
    Mix,
    Model,
    Part,
    Perturbation,
    Predict,
    PythonRows,
    Score,
    Scratch,
    Select,
    Train,
    Vectors,
    WorldRows,
    inputs,
)
from compiler.plan import verify
from tests.compiling import CPU, GPU, PRELUDE, nodes, plan_of
from tests.strategies import DATA, SETTINGS, Stage, Study, studies

ROOT = Path(__file__).parents[2]
A, B = "a" * 64, "b" * 64
WORLD = WorldRows("text", "train", "qaa", 1, 100, 0.0, 0.15, 0.5)

OPS = {
    "folder": Model(Folder((("config.json", A), ("model.safetensors", B)))),
    "scratch": Model(Scratch("xlm-roberta", 2, 64, 4, 256, 64, 0.1, 1, (("tokenizer.json", A),))),
    "hub model": Model(HubModel("FacebookAI/xlm-roberta-large", "c" * 40)),
    "data": Data(
        model=A,
        kind="multiple-choice",
        sources=(
            ("a", (FileRows("jsonl", (A, B), ()), WORLD)),
            ("b", (HubRows("aps/super_glue", "copa", "train", "c" * 40), PythonRows(A, "rows", 1, "train", "en"))),
        ),
        join="id",
        filter="{{ a.label >= 0 }}",
        language="en",
        code="eng",
        split="train",
        fields=(("context", "{{ premise }} – é"), ("choices", ("{{ choice1 }}", "{{ choice2 }}"))),
        labels=(),
        max_length=128,
        prefix="query: ",
        limit=Limit(500, "fixed"),
        scored=False,
    ),
    "train": Train(
        parent=A,
        parts=(
            Part("multiple-choice", (), (A, B), "new", None),
            Part("classification", ("no", "yes"), (B,), 0, None),
            Part("masked-lm", (), (A,), "new", 0.15),
        ),
        mix=Mix("proportional", 131_072, None, ()),
        length=("epochs", 3),
        batch=32,
        lr=1e-5,
        warmup=0.1,
        schedule="linear",
        weight_decay=0.01,
        eps=1e-8,
        clip=1.0,
        optimizer="adamw",
        dropout=None,
        seed=1,
        precision="fp32",
    ),
    "predict": Predict(A, B, "retrieval", None, "fp32", None, Vectors(14, "mean", "cosine")),
    "baseline": Baseline("bag-of-words", "classification", A, (A, B), B, ("no", "yes")),
    "score": Score(A, "accuracy", 1),
}
JUDGE = Judge("multiple-choice", 0, (A, B), "accuracy", 1, None)
OPS["select"] = Select((A, B), (JUDGE,), "fp32")
OPS["train that chooses"] = replace(OPS["train"], keep=Keep(100, (JUDGE,), 3))
OPS["predict with an earlier head"] = Predict(A, B, "multiple-choice", 0, "fp32", None, None, A)
OPS["perturbed data"] = replace(OPS["data"], under=Perturbation("typos", 0.1, 1))
GOLDEN = {
    "folder": "69eb9b265b2b63d9958af6b1c7f10fb07b08bb7aa37245c585fcf77549992b52",
    "scratch": "e2c365b2f19b3dedf71ace4acb61bcf4c8ab0c24bc87757a49a46dd13d271331",
    "hub model": "07d6b5f95fa2290ce99eff6af76e68398d97d81ec945e146fc00353c41bb225f",
    "data": "b42407e441b4aa554484257823f0d33c9cf7e405d5a63f6a78abe8d01cb1bd9f",
    "train": "4facf4c26e8a13a752fef32a2605c389e804dbb72379709eb6ab8c34d28e7896",
    "predict": "a9766353d2b54dab960828fe234475e5c22a45d71d0300447d476ce258a68458",
    "baseline": "fc6c85efb7097aac5749894ad949917c8ae0702cc5b2b27f24d059fc110842a5",
    "score": "447b2f68e8aaacd4792a4936c4e56ca6b2405243bb3f821dc619382bd67eed60",
    "perturbed data": "229b72d48dcc802a5bf6e910e13c4ed9dd2236d9ce7f755ac49306e7cb05400a",
    "select": "86d804289a3b2e241f618e4fb2c5a5da013d67ff019a5f1cdaf490ad4b8ffb7a",
    "train that chooses": "cf2a378a42ee057e936908944b10e9fef9aeff46799dec86d4d0cf2b55be10be",
    "predict with an earlier head": "30779e84615aae32b885b79b8fd4068a73bad94f4ce578d359f6ed7813c089ac",
}


@pytest.mark.parametrize("name", OPS)
def test_the_key_of_a_known_op_never_changes(name):
    """A key that moves silently abandons every checkpoint that anyone has stored."""
    assert GOLDEN[name] == node_key(OPS[name])


def test_every_op_has_a_golden_key_and_a_version():
    assert {type(op) for op in OPS.values()} == set(VERSION)
    assert set(GOLDEN) == set(OPS)


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_every_field_moves_the_key(op):
    for name in op.__struct_fields__:
        value = getattr(op, name)
        assert node_key(op) != node_key(replace(op, **{name: _other(value)})), name


def test_every_field_of_the_worlds_rows_moves_the_key():
    def key(rows):
        return node_key(replace(OPS["data"], sources=(("", (rows,)),)))

    for name in WORLD.__struct_fields__:
        assert key(WORLD) != key(replace(WORLD, **{name: _other(getattr(WORLD, name))})), name


CHANGES = {
    Limit: {"order": "own"},
    Perturbation: {"seed": 2},
    Vectors: {"layer": None},
    Folder: {"files": ()},
    Scratch: {"positions": 128},
    HubModel: {"revision": "d" * 40},
    Mix: {"cap": 5},
    Keep: {"patience": None},
}


def _other(value):
    match value:
        case str():
            return value + "x"
        case bool():
            return not value
        case int() | float():
            return value + 1
        case None:
            return 0.5
        case tuple():
            return (*value, *value[:1]) if value else ("x",)
        case _ if type(value) in CHANGES:
            return replace(value, **CHANGES[type(value)])
    raise TypeError(value)


def test_the_order_of_fields_and_spaces_is_canonical():
    record = {"b": [1.0, 1e-5, "é"], "a": None}

    assert hashlib.sha256('{"a":null,"b":[1.0,1e-05,"é"]}'.encode()).hexdigest() == key_of(record)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1], {"a": 1}, {1}, b"x", Path("x"), object()])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(TypeError, match="has no canonical form"):
        node_key(Score(A, value, 1))


def test_a_whole_number_is_no_real_one():
    """`lr: 1` and `lr: 1.0` are read as one real number before they reach an op."""
    train = OPS["train"]

    assert node_key(train) != node_key(replace(train, warmup=1)) != node_key(replace(train, warmup=1.0))


def keys(study, folder, **more):
    return {n.key for n in plan_of(study.text(), folder, **more).nodes}


@given(studies())
@settings(max_examples=30, deadline=None)
def test_a_plan_keeps_its_promises(folder, study):
    plan = plan_of(study.text(), folder)

    assert [] == verify(plan)
    assert all(json.loads(json.dumps(n.preimage)) == n.preimage and key_of(n.preimage) == n.key for n in plan.nodes)


LINES = st.builds(
    Study,
    st.lists(
        st.builds(Stage, st.sampled_from(["a", "b", "c"]), beside=st.sampled_from([(), (), ("t",)])),
        min_size=1,
        max_size=3,
    ).map(tuple),
    st.just(Stage("x", ("de", "ta"))),
)


@given(LINES, st.data())
@settings(max_examples=30, deadline=None)
def test_a_setting_moves_its_node_and_all_after_and_no_other(folder, study, data):
    at = data.draw(st.integers(0, len(study.stages) - 1))
    drawn = bool(study.stages[at].beside)  # one part in one language leaves nothing to draw
    key = data.draw(st.sampled_from(sorted(k for k in SETTINGS if k != "mix" or drawn)))
    value = data.draw(st.sampled_from(SETTINGS[key]))
    changed = replace(study.stages[at], settings=((key, value),))
    other = replace(study, stages=(*study.stages[:at], changed, *study.stages[at + 1 :]))
    before, after = plan_of(study.text(), folder), plan_of(other.text(), folder)
    old, new = ([n.key for n in nodes(p, Train)] for p in (before, after))

    assert old[:at] == new[:at]
    assert set(old[at:]).isdisjoint(new[at:])
    assert {n.key for n in nodes(before, Score)}.isdisjoint(n.key for n in nodes(after, Score))
    assert {n.key for n in nodes(before, Model)} == {n.key for n in nodes(after, Model)}
    last = at == len(study.stages) - 1
    if key not in DATA:
        assert {n.key for n in nodes(before, Data)} == {n.key for n in nodes(after, Data)}
    elif key == "limit" or not last:
        assert scored(before) == scored(after)
    else:
        assert scored(before).isdisjoint(scored(after))


def scored(plan):
    return {n.key for n in nodes(plan, Data) if n.op.scored}


@given(LINES, st.sampled_from([("limit", "7"), ("max-length", "40"), ("split", "dev")]))
@settings(max_examples=30, deadline=None)
def test_a_setting_of_a_target_trains_nothing_anew(folder, study, pair):
    other = replace(study, target=replace(study.target, settings=(pair,)))
    before, after = plan_of(study.text(), folder), plan_of(other.text(), folder)

    assert [n.key for n in nodes(before, Train)] == [n.key for n in nodes(after, Train)]
    assert {n.key for n in nodes(before, Predict)}.isdisjoint(n.key for n in nodes(after, Predict))


@given(studies())
@settings(max_examples=30, deadline=None)
def test_words_that_change_nothing_move_no_key(folder, study):
    plain = keys(replace(study, label="", by_let=False, comments=False, last_first=False), folder)

    assert plain == keys(study, folder)
    assert plain == keys(study, folder, device=GPU)
    report = f'report "R" {{ rows: language, columns: [{", ".join(study.axes())}] }}'
    assert plain == {n.key for n in plan_of(f"{study.text()}\n{report}", folder).nodes}
    assert plain == {n.key for n in plan_of(study.text() + "\ntask unused : a { }", folder).nodes}


@given(studies())
@settings(max_examples=30, deadline=None)
def test_more_seeds_arms_and_languages_keep_every_old_key(folder, study):
    whole = Stage("x", (), study.target.settings)
    arms = tuple({arm.task: arm for arm in (*study.arms, Stage("a", ("de",), (("lr", "7e-6"),)))}.values())
    fixed = any(k == "seed" for s in (*study.stages, *study.arms) for k, _ in s.settings)

    assert keys(study, folder) <= keys(replace(study, target=whole), folder)
    assert keys(study, folder) <= keys(replace(study, arms=arms[: len(study.arms) + 1]), folder) or (
        len(arms) == len(study.arms)
    )
    assert keys(study, folder) <= keys(replace(study, seeds=study.seeds + 1), folder) or fixed


@given(studies())
@settings(max_examples=8, deadline=None)
def test_the_same_bytes_elsewhere_are_the_same_work(folder, tmp_path_factory, study):
    away = tmp_path_factory.mktemp("away") / "deep"
    shutil.copytree(folder, away)
    rooted = study.text().replace('files("', 'files("@data/').replace('dir("', 'dir("@data/')

    assert keys(study, folder) == keys(study, away)
    assert keys(study, folder) == {n.key for n in plan_of(rooted, away.parent, roots={"data": away}).nodes}


@pytest.mark.parametrize(
    ("file", "ops"),
    [
        ("m/model.safetensors", (Model, Data, Train, Predict, Score)),
        ("m/tokenizer.json", (Model, Data, Train, Predict, Score)),
        ("c/en/train.jsonl", (Data, Train, Predict, Score)),
        ("x/de/test.jsonl", (Data, Predict, Score)),
    ],
)
def test_other_bytes_are_other_work_from_there_on(folder, tmp_path, file, ops):
    shutil.copytree(folder, tmp_path / "s")
    (tmp_path / "s" / file).write_bytes(b"changed")
    text = PRELUDE + "m -> c @ x[de]"
    before, after = plan_of(text, folder), plan_of(text, tmp_path / "s")

    for sort in (Model, Data, Train, Predict, Score):
        moved = {n.key for n in nodes(before, sort)} != {n.key for n in nodes(after, sort)}
        assert moved == (sort in ops), sort


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        ('"{{ one }}", "{{ two }}"', '"{{ two }}", "{{ one }}"', True),
        ("source: en languages: [en, de, sw]", "source: de languages: [en, de, sw]", True),
        ("languages: [en, de, sw]", "languages: [en, sw, de, ta]", False),
        ("settings: { epochs: 7, max-length: 64 }", "settings: { max-length: 64, epochs: 7 }", False),
        (
            "settings: { epochs: 7, max-length: 64 }",
            'settings: { epochs: 7, max-length: 64 } cite: "c" licence: "l"',
            False,
        ),
        (
            'input: { choices: ["{{ one }}", "{{ two }}"], label: "{{ label }}" }',
            'input: { label: "{{ label }}" choices: ["{{ one }}", "{{ two }}"] }',
            False,
        ),
    ],
)
def test_a_declaration_moves_keys_only_by_what_it_means(folder, old, new, moves):
    chain = "m -> c @ x[de]"
    assert old in PRELUDE

    before = {n.key for n in plan_of(PRELUDE + chain, folder).nodes}
    after = {n.key for n in plan_of(PRELUDE.replace(old, new) + chain, folder).nodes}
    assert moves == (before != after)


def world_keys(source, task="w-text"):
    text = f"task t : {task} {{ data: {source} }}\nbabel-mini -> t(steps: 1)"
    return [n.key for n in nodes(plan_of(text), Data)]


@pytest.mark.parametrize(
    ("task", "plain", "other", "moves"),
    [
        ("w-text", "world(text)", "world(text, seed: 1, cognates: 1, mixed: 80%, low-resource: 25%)", False),
        ("w-text", "world(text)", "world(text, low-resource: 0.25, mixed: 0.8, cognates: 1.0, seed: 1)", False),
        ("w-text", "world(text, cognates: 0)", "world(text, cognates: -0.0)", False),
        ("w-text", "world(text)", "world(text, seed: 2)", True),
        ("w-text", "world(text)", "world(text, cognates: 2)", True),
        ("w-text", "world(text)", "world(text, mixed: 15%)", True),
        ("w-text", "world(text)", "world(text, low-resource: 50%)", True),
        ("w-causes", "world(causes)", "world(causes, cognates: 100%, seed: 1)", False),
        ("w-causes", "world(causes)", "world(causes, seed: 0)", True),
        ("w-causes", "world(causes)", "world(causes, cognates: 0.5)", True),
    ],
)
def test_a_world_moves_keys_only_by_what_it_is(task, plain, other, moves):
    assert moves == (world_keys(plain, task) != world_keys(other, task))


def test_what_a_task_of_the_world_does_not_have_is_none():
    (text,), (causes,) = (
        [rows for n in nodes(plan_of(f"babel-mini -> {task}"), Data) for rows in n.op.rows]
        for task in ("w-text", "w-causes")
    )

    assert (0.8, 0.25) == (text.mixed, text.low_resource)
    assert (None, None) == (causes.mixed, causes.low_resource)


def test_precision_is_the_only_way_of_a_device_into_a_key(folder):
    study = Study((Stage("c", (), (("precision", "auto"),)),), Stage("x"))

    assert keys(study, folder, device=CPU) != keys(study, folder, device=GPU)
    assert keys(study, folder, device=CPU) == keys(
        replace(study, stages=(Stage("c", (), (("precision", "fp32"),)),)), folder, device=GPU
    )


def test_inputs_are_in_the_pre_image_by_their_keys(folder):
    for node in plan_of(PRELUDE + "m -> c @ x[de]", folder).nodes:
        record = json.dumps(preimage(node.op))
        assert all(key in record for key in inputs(node.op))


@pytest.mark.parametrize(
    "environment", [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "4242"}, {"LC_ALL": "C"}, {"LC_ALL": "tr_TR.UTF-8"}]
)
def test_keys_do_not_depend_on_the_process(folder, tmp_path, environment):
    text = PRELUDE + "m -> {skip | a[sw, de]} -> c @ x[* - en] with (seeds: 2)"
    script = (
        "import sys; from pathlib import Path; from tests.compiling import plan_of;"
        "print(*[n.key for n in plan_of(sys.argv[1], Path(sys.argv[2])).nodes])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, text, str(folder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )

    assert [n.key for n in plan_of(text, folder).nodes] == result.stdout.split()
