"""`xfer why`: every cause in words, with old and new value and the line of the spec, against objects in a store."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import xfer
from compiler import keys
from compiler.catalog import KINDS, Metric
from compiler.ops import Train
from runtime.differences import leaves
from runtime.store.leases import Leases, myself
from runtime.store.states import States
from tests import plans
from tests.compiling import PRELUDE, write_files
from xfer import exits
from xfer.cli import call

LINE = PRELUDE.count("\n") + 1  # of the chain
SCORE = "accuracy m -> a -> c @ x[de] (seed 1)"


def chain(text):
    return PRELUDE + text + "\n"


SPEC = chain("m -> a(lr: 1e-3) -> c(steps: 3) @ x[*]")


WORLD_SPEC = """task t : masked-lm { data: WORLD source: qaa input: { text: "{{ text }}" } }
model m { weights: dir("m") }
m -> t
"""


class Here:
    """A folder with a spec, its files and a store."""

    def __init__(self, folder, capsys):
        self.folder, self._capsys = folder, capsys

    def write(self, text):
        (self.folder / "spec.xfer").write_text(text)

    def made(self, text=SPEC):
        """All objects of the spec, made by an executor whose bodies write a line each."""
        self.write(text)
        study = xfer.compile("spec.xfer", xfer.Options(device="cpu"))
        report = plans.run(study.plan, study.store(write=True), plans.LineBodies())
        assert [] == report.failed and len(study.plan.nodes) == len(report.ran)

    def made_data(self, label):
        """One more object, of that node."""
        node, _ = self.node(label)
        store = xfer.compile("spec.xfer").store(write=True)
        store.publish(node, lambda folder: (folder / "line.txt").write_text(label), {})

    def node(self, label):
        study = xfer.compile("spec.xfer", xfer.Options(device="cpu"))
        return next(n for n in study.plan.nodes if n.label == label), study.store()

    def first_training(self):
        """The key of the training right behind the model."""
        plan = xfer.compile("spec.xfer", xfer.Options(device="cpu")).plan
        return next(n.key for n in plan.nodes if isinstance(n.op, Train))

    def why(self, name, code=exits.OK):
        """What is said of a node."""
        self._capsys.readouterr()
        assert code == call(["why", "spec.xfer", name, "--device", "cpu"])
        said = self._capsys.readouterr()
        return said.err if code else said.out

    def change(self, name, content):
        """Other bytes for a file: the first digits of the old and the new digest."""
        path = self.folder / name
        old = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "none"
        path.write_bytes(content)
        return old[:12], hashlib.sha256(content).hexdigest()[:12]


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    write_files(tmp_path)
    return Here(tmp_path, capsys)


def test_a_cached_node_says_since_when_by_whom_and_where(here):
    here.made()
    node, store = here.node("m -> a (seed 1)")

    said = here.why(node.key[:6])

    assert "`m -> a (seed 1)` (train" in said and "cached" in said
    assert "by run an-earlier-run on none" in said and str(store.path(node.key)) in said
    assert "because" not in said


def test_an_edited_setting_is_told_with_both_values_and_its_line(here):
    here.made()
    here.write(SPEC.replace("1e-3", "2e-3"))

    said = here.why("m -> a (seed 1)")

    assert "`lr` was 0.001 and is now 0.002" in said
    assert f"--> spec.xfer:{LINE}:8\n{LINE} | m -> a(lr: 2e-3)" in said and "^^^^^^^^" in said


def test_a_score_is_explained_by_the_setting_of_the_first_stage_and_the_way_to_it(here):
    here.made()
    here.write(SPEC.replace("1e-3", "2e-3"))

    said = here.why(SCORE)

    assert "its input `predictions` is another one" in said
    assert "because `m -> a (seed 1)` re-runs, through `predict m -> a -> c @ x[de] (seed 1)`" in said
    assert "`m -> a -> c (seed 1)`:" in said
    assert 1 == said.count("`lr` was 0.001 and is now 0.002") == said.count("-->")


@pytest.mark.parametrize(
    ("old", "new", "said", "place"),
    [
        ("mask: 0.15", "mask: 0.3", "`mask` was 0.15 and is now 0.3", f"spec.xfer:{LINE}:13"),
        ("mix: uniform", "mix: temperature(2)", "`mix` was uniform and is now temperature(2.0)", f"spec.xfer:{LINE}"),
        ("(a + t(mask: 0.15))(mix: uniform)", "a", "`parts` was 2 and is now 1", f"spec.xfer:{LINE}"),
    ],
)
def test_an_edit_of_a_mixture_is_told(here, old, new, said, place):
    text = chain("m -> (a + t(mask: 0.15))(mix: uniform) -> c(steps: 3) @ x[*]")
    here.made(text)
    here.write(text.replace(old, new))

    found = here.why(here.first_training())

    assert said in found and place in found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "select: best(every: 5)", "`select` was last and is now best(every: 5)"),
        ("select: best(every: 5)", "select: last", "`select` was best(every: 5) and is now last"),
        (
            "select: best(every: 2)",
            "select: best(every: 1, patience: 2)",
            "`select` was best(every: 2) and is now best(every: 1, patience: 2)",
        ),
        ("select: best", "select: best(limit: 3)", "its input `data` is another one"),
        ("", "tune: head", "`tune` was full and is now head"),
    ],
)
def test_an_edit_of_how_a_checkpoint_is_chosen_is_told_in_the_words_of_a_spec(here, old, new, said):
    text = "m -> a(lr: 1e-3, {})"
    here.made(chain(text.format(old)) if old else chain("m -> a(lr: 1e-3)"))
    here.write(chain(text.format(new)))

    found = here.why(here.first_training())

    assert said in found
    assert 1 == sum(found.count(told) for told in ("`select` was", "`tune` was", "is another one"))


def test_an_edited_template_is_told_by_its_field_and_the_part_that_differs(here):
    here.made()
    here.write(SPEC.replace('"{{ two }}"]', '"{{ second }}"]'))

    said = here.why(SCORE)

    assert "`input.choices` was {{ two }} and is now {{ second }}" in said
    assert "spec.xfer:5:" in said and 'choices: ["{{ one }}", "{{ second }}"]' in said
    assert "because `data a train[en]` re-runs" in said and "because `data x test[de]` re-runs" in said


def test_long_values_are_cut_to_where_they_differ(here):
    long = "{{ two }} " + "and so on, and so on, " * 8
    text = SPEC.replace('"{{ two }}"]', f'"{long}to the end"]')
    here.made(text)
    here.write(text.replace("to the end", "to the very end"))

    (line,) = [line for line in here.why("data a train[en]").splitlines() if "`input.choices` was" in line]

    assert "to the end and is now" in line and line.endswith("to the very end")
    assert "{{ two }}" not in line and 2 == line.count("…")


def test_an_edited_file_is_told_with_both_digests_and_the_line_that_names_it(here):
    here.made()
    old, new = here.change("a/en/train.jsonl", b"other rows")

    said = here.why(SCORE)

    assert "because `data a train[en]` re-runs" in said
    assert f"the file `a/en/train.jsonl` has other bytes: {old} → {new}" in said
    assert "--> spec.xfer:4:" in said and '| task a : multiple-choice { data: files("a/' in said
    assert call(["plan", "spec.xfer", "--device", "cpu"]) == exits.OK
    assert f"other data, `a/en/train.jsonl` {old} → {new} (spec.xfer:4:" in here._capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("world(text)", "world(text, seed: 100, cognates: 0)"),
        (
            "world(text, seed: 100, cognates: 0.25)",
            "world(text, seed: 100, cognates: 0.25, mixed: 15%, low-resource: 7%)",
        ),
        ("world(text, seed: 123456789012345678901)", "world(text, cognates: 4, mixed: 0%, low-resource: 100%)"),
        ("world(text, mixed: 15%)", "world(stories)"),
    ],
)
def test_another_world_is_told_as_a_spec_writes_it(here, old, new):
    text = WORLD_SPEC.replace("WORLD", old)
    here.made(text)
    here.write(text.replace(old, new))

    said = here.why("data t train[qaa]")

    assert f"`data` was {old} and is now {new}\n" in said
    assert f"--> spec.xfer:1:28\n1 | task t : masked-lm {{ data: {new}" in said
    assert call(["plan", "spec.xfer", "--device", "cpu"]) == exits.OK
    assert f"{old} → {new} (spec.xfer:1:28)" in here._capsys.readouterr().out


def test_defaults_of_the_world_written_out_are_no_change(here):
    text = WORLD_SPEC.replace("WORLD", "world(text)")
    here.made(text)
    here.write(text.replace("(text)", "(text, seed: 1, cognates: 100%, mixed: 0.8, low-resource: 25%)"))

    assert "cached" in here.why("data t train[qaa]")


def test_files_that_came_and_went_are_told(here):
    text = SPEC.replace('data: files("a/{{ language }}/{{ split }}.jsonl")', 'data: files("a/{{ language }}/*.jsonl")')
    here.made(text)
    _, new = here.change("a/en/more.jsonl", b"more rows")
    old = hashlib.sha256((here.folder / "a/en/dev.jsonl").read_bytes()).hexdigest()[:12]
    (here.folder / "a/en/dev.jsonl").unlink()

    said = here.why("data a train[en]")

    assert f"the file `a/en/more.jsonl` ({new}) was added" in said
    assert f"the file `a/en/dev.jsonl` ({old}) was removed" in said
    assert "has other bytes" not in said


def test_an_edited_file_of_a_model_is_told(here):
    here.made()
    old, new = here.change("m/model.safetensors", b"other weights")

    said = here.why("m -> a (seed 1)")

    assert "because `m` re-runs" in said and "--> spec.xfer:2:" in said
    assert f"the file `m/model.safetensors` has other bytes: {old} → {new}" in said


def lock(revision, weights):
    files = {
        n: {"sha256": hashlib.sha256(n.encode()).hexdigest(), "size": 9} for n in ("config.json", "tokenizer.json")
    }
    files["model.safetensors"] = {"sha256": hashlib.sha256(weights).hexdigest(), "size": len(weights)}
    model = {"revision": revision, "files": files}
    return json.dumps({"format_version": 1, "models": {"tiny/babel": model}, "data": {}})


def test_another_revision_of_a_repository_is_told_with_both_commits(here):
    text = SPEC.replace('dir("m")', 'hf("tiny/babel")')
    (here.folder / "xfer.lock").write_text(lock("a" * 40, b"old"))
    here.made(text)
    (here.folder / "xfer.lock").write_text(lock("d" * 40, b"new"))

    said = here.why("m -> a (seed 1)")

    assert f"another revision of a repository: `tiny/babel` at {'a' * 12}… → {'d' * 12}…" in said
    old, new = (hashlib.sha256(c).hexdigest()[:12] for c in (b"old", b"new"))
    assert f"`model.safetensors` {old} → {new}" in said and "config.json" not in said
    assert '--> spec.xfer:2:20\n2 | model m { weights: hf("tiny/babel") }' in said


def test_a_raised_version_of_an_op_is_told(here, monkeypatch):
    here.made()
    monkeypatch.setitem(keys.VERSION, Train, 77)

    said = here.why("m -> a (seed 1)")

    assert "xfer computes this differently now: version" in said and "→ 77 of its op" in said


def test_another_version_of_a_metric_or_of_keys_is_told(here, monkeypatch):
    here.made()
    with monkeypatch.context() as patch:
        patch.setitem(KINDS["multiple-choice"].metrics, "accuracy", Metric("another", version=77))
        assert "xfer measures this differently now: version 1 → 77 of its metric" in here.why(SCORE)
    monkeypatch.setattr(keys, "SCHEMA", 77)
    assert "keys are made differently now: schema 1 → 77" in here.why("m")


def test_a_missing_object_is_told_with_when_it_was_made_and_its_place(here):
    here.made()
    node, store = here.node(SCORE)
    for path in [*store.path(node.key).iterdir()]:
        path.unlink()
    store.path(node.key).rmdir()

    said = here.why(SCORE)

    assert "to run again" in said and "by run an-earlier-run" in said
    assert f"its object is gone: there is no {store.path(node.key)}" in said


def test_a_damaged_object_is_told_with_the_file_and_what_is_wrong_with_it(here):
    here.made()
    node, store = here.node(SCORE)
    path = store.path(node.key) / "line.txt"
    size = path.stat().st_size

    path.write_bytes(b"?" * size)
    assert "`line.txt` has other bytes: " in here.why(SCORE)
    path.write_bytes(b"?")
    assert f"`line.txt` has 1 bytes, and {size} were recorded" in here.why(SCORE)
    path.unlink()
    assert "`line.txt` is gone" in here.why(SCORE)
    (store.path(node.key) / "manifest.json").write_bytes(b"{")
    assert "`manifest.json` cannot be read as the record of this object" in here.why(SCORE)


def test_an_object_that_was_set_aside_is_told_with_where_it_lies_now(here):
    here.made()
    node, _ = here.node(SCORE)
    store = xfer.compile("spec.xfer").store(write=True)
    store.set_aside(node.key)

    said = here.why(SCORE)

    assert "to run again" in said and f"it lies in {store.root / 'work' / 'damaged'}" in said and node.key in said


def test_a_training_that_resumes_says_from_where(here):
    here.write(SPEC)
    node, store = here.node("m -> a (seed 1)")
    store = xfer.compile("spec.xfer").store(write=True)
    States(store.root, node.key).save(40, lambda folder: (folder / "state").write_text("40"))

    assert "it resumes from step 40" in here.why("m -> a (seed 1)")


def test_a_node_that_another_run_holds_says_who_and_since_when(here):
    here.write(SPEC)
    node, _ = here.node("m -> a (seed 1)")
    store = xfer.compile("spec.xfer").store(write=True)
    leases = Leases(store.leases, myself("the-other-run"))
    assert leases.take(node.key) is None

    said = here.why("m -> a (seed 1)")

    leases.release(node.key)
    assert "another run works on it" in said and "run the-other-run on " in said and "since " in said


def test_a_new_node_is_compared_with_its_nearest_relative(here):
    here.made()
    here.write(SPEC.replace("@ x[*]", "@ x[*] with (seeds: 2)"))

    said = here.why("m -> a -> c (seed 2)")

    assert "nothing is recorded under this name; the nearest is `m -> a -> c (seed 1)`" in said
    assert "`seed` was 1 and is now 2" in said and "because `m -> a (seed 2)` is new" in said


def test_where_nothing_is_recorded_that_is_said(here):
    here.write(SPEC)

    assert "nothing is recorded under this name, and no train node at all" in here.why("m -> a (seed 1)")


def test_an_input_that_is_cached_explains_what_reads_it(here):
    here.made()
    old, new = here.change("a/en/train.jsonl", b"other rows")
    here.made_data("data a train[en]")

    said = here.why("m -> a (seed 1)")

    assert "because `data a train[en]` is another one than before:" in said
    assert f"the file `a/en/train.jsonl` has other bytes: {old} → {new}" in said


def test_inputs_that_came_and_went_are_told(here):
    text = chain("m -> a[en, de](lr: 1e-3) -> c(steps: 3) @ x[*]")
    here.made(text)
    here.write(text.replace("[en, de]", "[en, de, sw]"))
    assert "it reads `data a train[sw]` too" in here.why(here.first_training())
    here.write(text.replace("[en, de]", "[en]"))
    assert "it reads `data a train[de]` no more" in here.why(here.first_training())


def test_an_object_that_does_not_say_what_its_files_were_called_is_compared_in_order(here):
    here.write(SPEC)
    here.made_data("data a train[en]")
    old, new = here.change("a/en/train.jsonl", b"other rows")

    assert f"the file `a/en/train.jsonl` has other bytes: {old} → {new}" in here.why("data a train[en]")


def test_weights_of_another_stage_in_the_place_of_a_model_are_named(here):
    here.made()
    here.write(SPEC.replace("a(lr: 1e-3) -> ", ""))

    said = here.why("c")

    assert "its input `parent` is another one" in said
    assert "because `m` is another one than before:" in said and "`m -> a (seed 1)` stood" in said


def test_what_is_not_pinned_is_told_at_its_source(here):
    here.write(SPEC.replace('dir("m")', 'hf("tiny/babel")'))

    said = here.why(SCORE)

    assert "an input of it is not pinned" in said and "because `m` is not pinned" in said
    assert "`xfer lock SPEC` resolves it" in said and "--> spec.xfer:2:20" in said


@pytest.mark.parametrize("name", ["m -> a (seed 1)", "m -> a", "a (seed 1)", "a", "  m  ->  a "])
def test_a_label_may_leave_out_what_tells_nothing_apart(here, name):
    here.write(SPEC)

    assert "`m -> a (seed 1)` (train" in here.why(name)


def test_an_ambiguous_name_lists_its_nodes_with_their_keys(here):
    here.write(SPEC.replace("@ x[*]", "@ x[*] with (seeds: 2)"))
    node, _ = here.node("m -> a -> c (seed 2)")

    said = here.why("m -> a -> c", exits.USAGE)

    assert "`m -> a -> c` names 2 nodes" in said and f"{node.key[:12]}  m -> a -> c (seed 2)" in said


@pytest.mark.parametrize("name", ["m -> aa (seed 1)", "accuracy m -> a -> c @ x[xx]"])
def test_a_name_of_nothing_gets_the_closest_labels(here, name):
    here.write(SPEC)

    said = here.why(name, exits.USAGE)

    assert f"there is no node `{name}`" in said and "the closest are `" in said


@pytest.mark.parametrize("name", ["", "0123456789abcdef", "zzzz", "[bold]", "\x00"])
def test_a_name_of_nothing_at_all_is_wrong_usage(here, name):
    here.write(SPEC)

    assert "there is no node" in here.why(name, exits.USAGE)


def test_a_wrong_spec_is_told_as_everywhere(here):
    here.write("m -> ")

    assert "error[" in here.why("m", exits.USAGE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from([0.0, 1.0, 0.5]) | st.sampled_from("ab"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "type", "mix"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(one=JSON, other=JSON)
def test_records_have_no_differing_leaf_only_when_they_are_one(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert same == (leaves(one, other) == []) == (leaves(other, one) == [])


MINED = """benchmark mined : retrieval { data: world(pool) languages: [qab] metrics: [f1]
  input: { query: "{{ sentences }}", document: "{{ sources }}", gold: "{{ gold }}" } settings: { max-length: 64 } }
babel-mini @ mined(split: test, threshold: dev)
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", threshold: dev", "", "`threshold` was dev and is now none"),
        ("threshold: dev", "threshold: 0.9", "`threshold` was dev and is now"),
        ("threshold: dev", "threshold: dev, match: max", "`match` was forward and is now max"),
    ],
)
def test_an_edit_of_how_pairs_are_found_is_told(here, old, new, said):
    here.made(MINED)
    here.write(MINED.replace(old, new))
    node = "f1 babel-mini @ mined[qab]" if "match" not in new else "predict babel-mini @ mined[qab]"

    assert said in here.why(node)


SPANS = """task s : span-qa {
  data: world(spans) source: qaa
  input: {
    context: "{{ context }}", question: "{{ question }}"
    answers: "{{ {'text': [answer], 'answer_start': [answer_start]} }}"
  }
  settings: { max-length: 96, steps: 3 }
}
babel-mini -> s(stride: 64) @ s(split: dev)
"""


def test_an_edit_of_windows_and_of_answers_is_told(here):
    here.made(SPANS)
    here.write(SPANS.replace("stride: 64", "stride: 32").replace("split: dev", "split: dev, n-best: 5"))

    assert "`stride` was 64 and is now 32" in here.why("data s train[qaa]")
    assert "`n-best` was 20 and is now 5" in here.why("predict babel-mini -> s @ s[qaa] (seed 1)")
