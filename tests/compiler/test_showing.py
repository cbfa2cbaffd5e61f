"""What `show` writes means what the name means, and says where each line comes from."""

import pytest
from msgspec import Struct

from compiler.bag import Bag
from compiler.declarations import Declarations
from compiler.known import place_of, seen_from
from compiler.languages import members
from compiler.pipeline import library, library_alone
from compiler.places import Places
from compiler.resolve import merge, resolve
from compiler.showing import show
from compiler.uses import File
from dsl.parse import parse
from dsl.source import Source, Span
from dsl.syntax import Declaration, Group, Let, Suite

RICH = '''
group near = [de]
group all = [near, th, sw]
task base : multiple-choice {
  data: { a: files("{{ split }}.jsonl", format: jsonl), b: files({train: "t.csv", dev: "d.csv"}, columns: [x, "y z"]) }
  join: id
  source: en  languages: [en, de, th, sw]
  input: { context: """
    two "lines"
      with {{ a.tabs }}\\n""", choices: ["{{ a.one }}", "{{ b.two }}"], label: "{{ a.label }}" }
  codes: { th: "th-a", de: deu }
  filter: "{{ a.x != 1 }}"
  per-language: { th: { filter: none input: { label: "{{ b }}" } } sw: { data: {a: files("s.csv") b: files("u.csv")} } }
  settings: { steps: 10k, lr: {1e-5 | high: 3e-5}, max-length: 64, baselines: [majority], limit: first(9), warmup: 7% }
  split: dev  metrics: [accuracy]  licence: "X"  cite: "y"
}
task mid : base { settings: { epochs: 4, mix: weights(base: 2, mid: 50%) }  input: { label: "{{ a.other }}" }
  per-language: { th: { input: { context: "{{ b.th }}" } } } }
benchmark leaf : mid { languages: [en, th]  settings: { precision: bf16 }  per-language: { th: { join: none } } }
task tags : classification { data: files("c.csv")  labels: [no, "ye s"]  input: { text: "{{ t }}", label: "{{ l }}" } }
model big { weights: scratch(layers: 2, width: 64, heads: 4, tokenizer: dir("m"))  settings: { lr: 1e-4, head: keep } }
model bigger : big { settings: { seeds: 3 }  cite: "z" }
let choice = { skip | two: base -> mid(lr: 1e-4) }
suite ends { -> base @ leaf[all] | -> mid @ base }
'''


def read(text):
    """The names of a spec."""
    spec, findings = parse(Source("spec.xfer", text))
    assert () == findings
    bag = Bag()
    names = resolve([File(spec, None, ())], library(), bag)
    assert not bag.failed(), bag.all()
    return names


def text_of(name, names):
    bag = Bag()
    lines = show(name, names, bag)
    assert () == bag.all()
    return "".join(f"{line.text}  # {line.note}\n" if line.note else f"{line.text}\n" for line in lines)


def meaning(name, names):
    """A name's meaning without its places."""
    named, bag = names.get(seen_from(names, name)), Bag()
    composer = Declarations(names, Places(folder=None), bag)
    match named:
        case Declaration(word="model"):
            found = composer.model(named)
        case Declaration():
            found = composer.task(named)
            own = {(g.key, g.value) for g in found.own_settings if g.key in ("max-length", "precision")}
            found = (
                found,
                own if found.kind.trains else set(),
            )  # where no stage trains, it is all the same whose they are
        case Group():
            found = members(named.name, names)
        case Let() | Suite():
            found = named
    assert not bag.failed(), bag.all()
    return plain(found)


def place(name):
    """Where the library declares a name."""
    return place_of(library()[name].name.span)


def plain(value):
    """Without what says where something was written."""
    if isinstance(value, Span):
        return None
    if isinstance(value, Struct):
        kept = [name for name in value.__struct_fields__ if name not in ("owner", "source")]
        kept += ["source"] if isinstance(getattr(value, "source", None), str) else []
        return (type(value).__name__, {name: plain(getattr(value, name)) for name in kept})
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        items = [plain(v) for v in value]
        return sorted(items, key=repr) if items and all(i and i[0] == "Given" for i in items) else items
    return value


@pytest.mark.parametrize("name", sorted(library()))
def test_what_is_shown_of_the_library_means_the_same(name):
    text = text_of(name, library_alone())

    assert meaning(name, library_alone()) == meaning(name, read(text))


@pytest.mark.parametrize("name", sorted(read(RICH).own))
def test_what_is_shown_of_a_spec_means_the_same_there(name):
    names = read(RICH)
    text = text_of(name, names)
    others = "".join(f"{d.span.text}\n" for n, d in names.own.items() if n != name)

    assert meaning(name, names) == meaning(name, read(others + text))


@pytest.mark.parametrize("name", ["leaf", "mid", "bigger", "xcopa", "w-xcauses", "w-xentail"])
def test_nothing_inherited_is_left_out(name):
    """Begun anew, without the parent, the text still says it all; `max-length` is uncommented for that."""
    names = read(RICH)
    head, _, rest = text_of(name, names).partition(" {")
    word = head.split()[0]
    begun = f"{word} {name}" if word == "model" else f"{word} {name} : {merged_kind(name, names)}"
    text = f"{begun} {{{rest}".replace("# max-length", "max-length")

    assert without_line(meaning(name, names)) == without_line(meaning(name, read(text)))


def merged_kind(name, names):
    return merge(names.get(seen_from(names, name)), names, Bag()).kind


def without_line(found):
    """A meaning without the line of descent."""
    kind, values = found if isinstance(found[1], dict) else found[0]
    return kind, {k: v for k, v in values.items() if k not in ("ancestry", "lineage")}


def test_meaning_tells_apart_what_this_test_must_tell_apart():
    plain_, other = (read(RICH.replace("lr: {1e-5", f"lr: {{{lr}")) for lr in ("1e-5", "2e-5"))

    assert meaning("leaf", plain_) != meaning("leaf", other)


def lines_of(name, names):
    return {line.text.strip(): line.note for line in show(name, names, Bag())}


def test_each_line_says_who_wrote_it():
    lines = lines_of("leaf", read(RICH))

    assert "of base, spec.xfer:6" == lines["join: id"]
    assert "of mid, spec.xfer:17" == lines['label: "{{ a.other }}"']
    assert "of mid, spec.xfer:17" == lines["epochs: 4"], "which hides the steps of `base`"
    assert "steps: 10k" not in lines
    assert "spec.xfer:19" == lines["precision: bf16"] == lines["languages: [en, th]"] == lines["join: none"]
    assert "built-in" == lines["# cluster: by `context`"]
    assert "built-in" == lines["# batch: 32"] == lines["# weight-decay: 0.01"]
    assert "spec.xfer:4" == lines["# base : multiple-choice"]
    assert not any(line.startswith(("de:", "sw:")) for line in lines)
    assert "of base, spec.xfer:15" == lines['licence: "X"'], "its data are those of `base`"


def test_keys_stand_in_one_order_whoever_wrote_them():
    order = [
        line.text for line in show("leaf", read(RICH), Bag()) if line.text.startswith("  ") and line.text[2] != " "
    ]
    keys = [text.strip().split(":")[0] for text in order if text.strip() != "}" and "#" not in text]

    expected = ["data", "source", "languages", "input", "metrics", "split", "licence", "cite"]
    assert [*expected, "codes", "filter", "join", "per-language", "settings"] == keys


def test_what_a_target_would_not_inherit_is_a_comment():
    names = read(RICH)

    assert "inherited: a target reads that of its stage" in lines_of("leaf", names)["# max-length: 64"]
    assert "spec.xfer:14" == lines_of("base", names)["max-length: 64"]


def test_what_is_built_in_without_being_a_value_is_told_in_words():
    lines = lines_of("w-mining", library_alone())

    assert "built-in" == lines["# layer: the last"] == lines["# split: test, else dev"] == lines["# source: en"]
    assert not any(line.startswith(("# epochs", "# head")) for line in lines), "it has none of these"


DEFAULTS = """
defaults { lr: 1e-3, warmup: 1%, batch: 2 }
defaults multiple-choice { warmup: 2%, batch: 4 }
defaults leaf { batch: 8, epochs: 9 }
defaults mid { clip: 2 }
"""


def test_the_defaults_of_a_spec_are_told_the_nearest_of_them():
    lines = lines_of("leaf", read(RICH + DEFAULTS))

    assert "of mid, spec.xfer:17; here 9: `defaults`, spec.xfer:28" == lines["epochs: 4"]
    assert "`defaults`, spec.xfer:28" == lines["# batch: 8"]
    assert "of base, spec.xfer:14; here 2%: `defaults`, spec.xfer:27" == lines["warmup: 7%"]
    assert "of base, spec.xfer:14; here 1e-3: `defaults`, spec.xfer:26" == lines["lr: {1e-5 | high: 3e-5}"]
    assert "built-in" == lines["# clip: 1.0"]


def test_names_in_a_let_a_group_or_a_suite_are_told_with_their_places():
    names = read(RICH)

    assert ["# spec.xfer:23", "# base: task, spec.xfer:4", "# mid: task, spec.xfer:17"] == [
        line.text for line in show("choice", names, Bag())[:3]
    ]
    assert "# in all: [de, sw, th]" in lines_of("all", names)
    assert "# leaf: benchmark, spec.xfer:19" in lines_of("ends", names)


def test_a_name_that_hides_another_says_so():
    names = read("group copa = [en]\nbenchmark xcopa : copa-2 { }\ntask copa-2 : w-causes { }")

    assert f"# hides the task `copa` of {place('copa')}" in lines_of("copa", names)
    assert f"# hides the benchmark `xcopa` of {place('xcopa')}" in lines_of("xcopa", names)
    assert not any(line.startswith("# hides") for line in lines_of("copa-2", names))


def test_a_name_that_is_none_is_none():
    assert None is show("nothing", library_alone(), Bag())
