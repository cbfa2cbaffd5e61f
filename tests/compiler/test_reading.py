"""What a declaration says of how rows are read reaches the ops, and moves keys only by what it means."""

import pytest

from compiler.ops import Data, FileRows, Predict, Train, Vectors
from tests.compiling import PRELUDE, found, nodes, plan_of

FIELDS = 'choices: ["{{ a.one }}", "{{ b.two }}"] label: "{{ a.label }}"'
NAMED = 'data: { b: files("c/en/train.jsonl"), a: [files("a/en/train.jsonl"), files("b/en/train.jsonl")] }'
MODEL = 'model m { weights: dir("m") }\n'


def task(body, kind="multiple-choice"):
    return f"{MODEL}task mine : {kind} {{ {body} }}\n"


def data_of(text, folder):
    return [n.op for n in nodes(plan_of(text, folder), Data)]


def keys(text, folder):
    return {n.key for n in plan_of(text, folder).nodes}


def test_named_sources_are_in_the_op_by_name(folder):
    (op,) = data_of(task(f"{NAMED} input: {{ {FIELDS} }}") + "m -> mine", folder)

    assert ["a", "b"] == [name for name, _ in op.sources]
    assert [2, 1] == [len(rows) for _, rows in op.sources]
    assert all(isinstance(r, FileRows) for r in op.rows)
    assert (None, None) == (op.join, op.filter)


def test_the_order_of_sources_matters_to_a_join_alone(folder):
    turned = (
        'data: { a: [files("a/en/train.jsonl"), files("b/en/train.jsonl")], b: files("c/en/train.jsonl") }'
        f" input: {{ {FIELDS} }}"
    )
    plain = f"{NAMED} input: {{ {FIELDS} }}"

    assert keys(task(plain) + "m -> mine", folder) == keys(task(turned) + "m -> mine", folder)
    joined, turned_join = task(f"{plain} join: id") + "m -> mine", task(f"{turned} join: id") + "m -> mine"
    assert keys(joined, folder) != keys(turned_join, folder)
    assert ["b", "a"] == [name for name, _ in data_of(joined, folder)[0].sources]
    assert "id" == data_of(joined, folder)[0].join


def test_what_templates_are_given_is_no_column(folder):
    fields = (
        'choices: ["{{ language }} {{ code }} {{ split }} {{ row.a.x }}", "{% for x in range(2) %}{{ x }}{% endfor %}"]'
    )

    assert [] == found(task(f'{NAMED} input: {{ {fields} label: "{{{{ a.l }}}}" }}') + "m -> mine", folder)


CODES = task(
    'data: files("a/{{ code }}/{{ split }}.jsonl") languages: [xx, en] codes: { xx: de }'
    ' source: en input: { choices: ["{{ one }}", "{{ two }}"] label: "{{ label }}" }'
)


def test_a_code_is_the_datas_own_spelling(folder):
    plan = plan_of(CODES + "m -> mine @ mine[xx]", folder)
    train, test = (n.op for n in nodes(plan, Data))

    assert [("en", "en"), ("xx", "de")] == [(op.language, op.code) for op in (train, test)]
    assert ["xx"] == [c.language for c in plan.cells]
    assert "a/de/dev.jsonl" == plan.files[test.rows[0].files[0]].relative_to(folder).as_posix()


def test_codes_and_languages_apart_are_inherited_key_by_key(folder):
    text = (
        CODES
        + 'task parent : mine { per-language: { en: { filter: "{{ keep }}" }, xx: { filter: "{{ keep }}" } } }\n'
        + "task child : parent { languages: [xx, en, sw] codes: { sw: sw } per-language: { xx: { filter: none } } }\n"
        + "m -> child[xx, en, sw]"
    )

    found = {op.language: (op.code, op.filter) for op in data_of(text, folder)}
    assert {"xx": ("de", None), "en": ("en", "{{ keep }}"), "sw": ("sw", None)} == found


def test_a_language_apart_merges_last_and_for_itself_alone(folder):
    apart = (
        'task mine : c { per-language: { de: { filter: "{{ ok }}" input: { label: "{{ gold }}" }'
        ' data: files("b/de/{{ split }}.jsonl") } } }\n'
    )
    en, de = data_of(PRELUDE + apart + "m -> mine[en, de]", folder)
    plain_en, plain_de = data_of(PRELUDE + "m -> c[en, de]", folder)

    assert en == plain_en
    assert ("{{ ok }}", "{{ gold }}") == (de.filter, dict(de.fields)["label"])
    assert dict(plain_de.fields)["choices"] == dict(de.fields)["choices"]
    assert plain_de.rows != de.rows


CLUSTERED = "benchmark more : c { languages: [en, de] %s }\n"


@pytest.mark.parametrize(
    ("said", "en", "de"),
    [
        ("", None, None),  # without a context there is nothing to cluster by
        ('input: { context: "{{ premise }}" }', "{{ premise }}", "{{ premise }}"),
        ('input: { context: "{{ premise }}" } cluster: none', None, None),
        ('cluster: "{{ article }}-{{ part }}"', "{{ article }}-{{ part }}", "{{ article }}-{{ part }}"),
        ('cluster: "{{ a }}" per-language: { de: { cluster: none } }', "{{ a }}", None),
        ('per-language: { de: { input: { context: "{{ told }}" } } }', None, "{{ told }}"),
    ],
)
def test_rows_of_a_target_come_together_as_is_said_or_by_the_kinds_field(folder, said, en, de):
    train, *targets = data_of(PRELUDE + CLUSTERED % said + "m -> c @ more[en, de](split: dev)", folder)

    assert not train.scored and train.cluster is None
    assert {"en": en, "de": de} == {op.language: op.cluster for op in targets}


@pytest.mark.parametrize("select", ["last", "best(accuracy, every: 10)"])
def test_a_cluster_changes_no_training(folder, select):
    chain = f"m -> more(steps: 20, select: {select}) @ more[de](split: dev)"
    plain, said = (
        {n.key for n in nodes(plan_of(PRELUDE + CLUSTERED % more + chain, folder), Train)}
        for more in ("", 'cluster: "{{ article }}"')
    )

    assert plain == said


@pytest.mark.parametrize("value", ["article", '"article"', "[a]", "3"])
def test_a_cluster_that_is_no_template_is_told(folder, value):
    assert [("X0302", value)] == found(
        PRELUDE + CLUSTERED % f"cluster: {value}" + "m -> c @ more[de](split: dev)", folder
    )


def test_rows_of_one_source_of_several_are_contamination(folder):
    text = task(f"{NAMED} input: {{ {FIELDS} }}") + (
        'task other : multiple-choice { data: files({train: "b/en/train.jsonl", test: "x/en/test.jsonl"})'
        ' input: { choices: ["{{ one }}", "{{ two }}"] label: "{{ label }}" } }\n'
    )

    assert ["X0310"] == [code for code, _ in found(text + "m -> other @ mine", folder)]


def test_labels_of_a_file_enter_by_what_it_holds(folder, tmp_path):
    body = 'data: files("rows.jsonl") {labels} input: {{ text: "{{{{ t }}}}" label: "{{{{ l }}}}" }}'
    (tmp_path / "m").mkdir()
    for name in ("m/config.json", "m/model.safetensors", "m/tokenizer.json", "rows.jsonl"):
        (tmp_path / name).write_text(name)
    (tmp_path / "tags.txt").write_bytes("\ufeffno\r\n\n  maybe so \r\nyes".encode())
    listed = task(body.format(labels='labels: [no, "maybe so", yes]'), "classification") + "m -> mine"
    named = task(body.format(labels='labels: files("tags.txt")'), "classification") + "m -> mine"

    assert ("no", "maybe so", "yes") == nodes(plan_of(named, tmp_path), Train)[0].op.parts[0].labels
    assert keys(listed, tmp_path) == keys(named, tmp_path)


def test_heads_of_other_labels_do_not_fit(folder):
    body = '{ data: files("a/en/{{ split }}.jsonl") labels: [LABELS] input: { text: "{{ t }}" label: "{{ l }}" } }'
    text = MODEL + f"task one : classification {body.replace('LABELS', 'a, b')}\n"
    text += f"task two : classification {body.replace('LABELS', 'b, a')}\n"

    assert ["X0307"] == [code for code, _ in found(text + "m -> one @ two(split: dev)", folder)]


PAIRS = """benchmark pairs : retrieval {
  data: files("a/{{ language }}/dev.jsonl") languages: [en, de] BODY
  input: { query: "{{ q }}" document: "{{ d }}" }
}
"""
RETRIEVAL = PAIRS.replace("BODY", "")


def predictions(text, folder):
    return [n.op for n in nodes(plan_of(text, folder), Predict)]


def test_retrieval_needs_no_stage(folder):
    plan = plan_of(MODEL + RETRIEVAL + "m @ pairs[*]", folder)

    assert [] == nodes(plan, Train)
    assert [("en", "", True), ("de", "", True)] == [(c.language, c.seed, c.zero_shot) for c in plan.cells]
    assert {Vectors(None, "mean", "cosine")} == {n.op.vectors for n in nodes(plan, Predict)}
    assert all(n.op.weights == plan.nodes[0].key for n in nodes(plan, Predict))
    assert not any("seed" in n.label for n in plan.nodes)


def test_retrieval_reads_any_checkpoint(folder):
    plan = plan_of(PRELUDE + RETRIEVAL + "m -> {skip | c | t} @ pairs[de] with (seeds: 2)", folder)
    cells = [(c.axes, c.seed) for c in plan.cells]

    axes = [(("model", "m"), ("stage-1", arm)) for arm in ("skip", "c", "c", "t", "t")]
    assert list(zip(axes, ["", "1", "2", "1", "2"], strict=True)) == cells
    assert 1 == len(nodes(plan, Data)) - 2  # one for all five checkpoints
    assert 5 == len({p.op.weights for p in nodes(plan, Predict)})


@pytest.mark.parametrize(
    ("model", "body", "chain", "layer", "pool", "prefix", "length", "precision"),
    [
        ("", "", "", None, "mean", "", 256, "fp32"),
        ('layer: 3, prefix: "q: ", max-length: 64, precision: bf16', "", "", 3, "mean", "q: ", 64, "bf16"),
        ('layer: 3, prefix: "q: "', "settings: { layer: 2, max-length: 32 }", "", 2, "mean", "q: ", 32, "fp32"),
        ("pool: cls", "settings: { pool: mean }", '(pool: cls, prefix: "p", layer: 0)', 0, "cls", "p", 256, "fp32"),
    ],
)  # fmt: skip
def test_settings_of_retrieval_are_its_own_else_the_models(
    folder, model, body, chain, layer, pool, prefix, length, precision
):
    text = f'model m {{ weights: dir("m") settings: {{ {model} }} }}\n' + PAIRS.replace("BODY", body)
    text += PRELUDE.split("\n", 2)[2].replace('model n { weights: dir("n") }', "")
    plan = plan_of(text + f"m -> c(max-length: 17, precision: bf16) @ pairs[de]{chain}", folder)
    predict, data = nodes(plan, Predict)[0].op, nodes(plan, Data)[-1].op

    assert (Vectors(layer, pool, "cosine"), precision) == (predict.vectors, predict.precision)
    assert (prefix, length) == (data.prefix, data.max_length)


def test_a_layer_beyond_those_of_a_models_configuration_is_found_before_anything_runs(folder, tmp_path):
    for name, text in (("config", '{"num_hidden_layers": 2}'), ("tokenizer", "{}")):
        (tmp_path / f"{name}.json").write_text(text)
    (tmp_path / "model.safetensors").write_text("")
    text = (MODEL + RETRIEVAL).replace('dir("m")', f'dir("{tmp_path}")') + "m @ pairs[de](layer: LAYER)"

    assert [("X0302", "layer: 3")] == found(text.replace("LAYER", "3"), folder, allowed=(tmp_path,))
    assert [] == found(text.replace("LAYER", "2"), folder, allowed=(tmp_path,))


def test_vectors_move_predictions_and_a_prefix_moves_data(folder):
    text = MODEL + RETRIEVAL + "m @ pairs[de]"
    plain, pooled = plan_of(text, folder), plan_of(text + "(pool: cls)", folder)
    prefixed = plan_of(text + '(prefix: "q")', folder)

    def found(plan, sort):
        return [n.key for n in nodes(plan, sort)]

    assert found(plain, Data) == found(pooled, Data) != found(prefixed, Data)
    assert found(plain, Predict) != found(pooled, Predict)


def test_defaults_reach_retrieval_by_its_kind(folder):
    text = MODEL + RETRIEVAL + "defaults retrieval { pool: cls, max-length: 40 }\nm @ pairs[de] with (layer: {0 | 1})"
    ops = predictions(text, folder)

    assert [Vectors(0, "cls", "cosine"), Vectors(1, "cls", "cosine")] == [op.vectors for op in ops]
    assert {40} == {op.max_length for op in data_of(text, folder)}


def test_declarations_inherit_through_sixty_four_and_no_more(folder):
    line = [f"task d{n} : {f'd{n - 1}' if n else 'a'} {{ }}" for n in range(70)]

    assert [("X0319", "a")] == [f for f in found("\n".join([PRELUDE, *line[:64], "m -> d63"]), folder) if f[1] == "a"]
    assert [] == found("\n".join([PRELUDE, *line[:63], "m -> d62"]), folder)
    assert {"X0319"} == {code for code, _ in found("\n".join([PRELUDE, *line, "m -> d69"]), folder)}


def test_a_group_named_twice_at_every_level_is_looked_into_once(folder):
    """Two to the power of fifty looks would take years."""
    line = [f"group g{n} = [g{n + 1}, g{n + 1} - ta]" for n in range(50)]
    text = "\n".join([PRELUDE, *line, "group g50 = [de, ta]", "m -> c @ x[g0]"])

    assert ["de"] == [c.language for c in plan_of(text, folder).cells]
