"""The canonical form: the same tree, tokens and comments, once and for all; and what it looks like."""

import re
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from msgspec import Struct

from dsl.format import format_source
from dsl.parse import parse
from dsl.reader import tools
from dsl.source import Source
from dsl.syntax import Spec
from tests.sentences import sentence, sentences

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.xfer"))
BLOCK = re.compile(r'"""(?s:.*?)"""')
CASES = sorted((ROOT / "tests" / "cases").rglob("*.xfer"))


def formatted(text):
    found, diagnostics = format_source(Source("a.xfer", text))

    assert () == diagnostics
    return found


def bare(node):
    """A node without its places."""
    if isinstance(node, Struct):
        names = [name for name in node.__struct_fields__ if name not in {"span", "source"}]
        return type(node).__name__, *(bare(getattr(node, name)) for name in names)
    return tuple(map(bare, node)) if isinstance(node, tuple) else node


def tree(text):
    spec, diagnostics = parse(Source("a.xfer", text))

    assert () == diagnostics
    assert isinstance(spec, Spec)
    return bare(spec)


def tokens(text):
    """The tokens but commas, as written; in strings Windows' line ends count as others."""
    lexemes = tools()[0].scan(Source("a.xfer", text))[0]
    return [lexeme.text.replace("\r\n", "\n") for lexeme in lexemes if lexeme.type != "COMMA"]


def comments(text):
    """The comments of a text, without white space behind them."""
    pattern, place, found = tools()[0].pattern, int(text.startswith("\ufeff")), []
    while place < len(text):
        match = pattern.match(text, place)
        place = match.end()
        found += [match.group().rstrip()] if match.lastgroup == "COMMENT" else []
    return found


def check_laws(text):
    once = formatted(text)

    assert tree(text) == tree(once)
    assert comments(text) == comments(once)
    assert tokens(text) == tokens(once)
    assert once == formatted(once)
    assert once == "" or (once.endswith("\n") and not once.endswith("\n\n") and not once.startswith("\n"))
    assert "\n\n\n" not in BLOCK.sub("", once)
    return once


@given(sentences())
@settings(max_examples=400, deadline=None)
def test_formatting_keeps_the_tree_the_tokens_and_the_comments_and_does_nothing_twice(sentence):
    once = check_laws(sentence.text)

    assert [comment.rstrip() for comment in sentence.comments] == comments(once)


def test_the_sentences_have_every_word_and_sign_of_the_language():
    scan = tools()[0].scan
    found = {lexeme.type for seed in range(300) for lexeme in scan(Source("a.xfer", sentence(seed, 120).text))[0]}

    assert {t.name for t in tools()[1].lark.terminals} - {"COMMENT", "SPACE"} <= found


def parts(paths):
    """The files, and those with several specs between `---` in parts."""
    for path in paths:
        for number, text in enumerate(path.read_text(encoding="utf-8").split("\n---\n")):
            if not parse(Source(path.name, text))[1]:
                yield pytest.param(text, id=f"{path.stem}-{number}")


@pytest.mark.parametrize("text", list(parts([*SPECS, *CASES])))
def test_specs_and_cases_obey_the_laws(text):
    check_laws(text)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: str(path.relative_to(ROOT)))
def test_our_own_specs_are_in_canonical_form(path):
    text = path.read_text(encoding="utf-8")

    assert text == formatted(text)


UNKEMPT = """


# header
task   copa:multiple-choice {   # remark


  # before the data
  data: hf("aps/super_glue",   # the hub
    config: "copa",)
  input: { context: "{{ premise }}", # one
     choices: ["{{ choice1 }}",], # two
     label: "{{ label }}" }

  metrics: [accuracy,
  ],
  languages: [
     sw, ta,# first
\t # third
     qu
  ]
  # last

}
let i = { skip # nothing
 | mnli # something

 # both
 | all: mnli->qqp
}
\xa0suite s { -> xnli @ xnli[ * ] | @ bucc[* -en],tatoeba[*] }
x:xlmr-large->i->
copa( lr:{1e-5|2e-5} , epochs:3, ) @ xcopa[*]\r
    with (seeds:5)


claim "x" expect refuted :every language: -2+mean( phang[intermediate : skip] )-  -3>=70 % at 95%
model m{weights:dir("m")cite:"a"}
defaults { }
# tail"""

KEMPT = """\
# header
task copa : multiple-choice {  # remark

  # before the data
  data: hf("aps/super_glue",  # the hub
           config: "copa")
  input: {
    context: "{{ premise }}"    # one
    choices: ["{{ choice1 }}"]  # two
    label: "{{ label }}"
  }

  metrics: [accuracy]
  languages: [
    sw, ta,  # first
    # third
    qu
  ]
  # last
}
let i = {
    skip  # nothing
  | mnli  # something

  # both
  | all: mnli -> qqp
}
suite s { -> xnli @ xnli[*] | @ bucc[* - en], tatoeba[*] }
x: xlmr-large -> i -> copa(lr: { 1e-5 | 2e-5 }, epochs: 3) @ xcopa[*]
  with (seeds: 5)

claim "x" expect refuted: every language: -2 + mean(phang[intermediate: skip]) - -3 >= 70% at 95%
model m { weights: dir("m"), cite: "a" }
defaults {}
# tail
"""


def test_an_unkempt_spec_becomes_a_kempt_one():
    assert KEMPT == check_laws(UNKEMPT.replace("70 %", "70%"))


LONG = """\
group few = [af, ar, bg, bn, de, el, en, es, et, eu, fa, fi, fr, he, hi, hu, id, it, ja, jv, ka, kk, ko, ml, mr, ms, my]
group all = [af, ar, bg, bn, de, el, en, es, et, eu, fa, fi, fr, he, hi, hu, id, it, ja, jv, ka, kk, ko, ml, mr, ms, my, nl]
let translated = { skip | mnli-tr: mnli[en, de, ru, sw] | qqp-tr: qqp[en, de, ru, sw] | hellaswag-tr: hellaswag[en, de] }
phang: xlmr-large -> intermediate -> copa(lr: 1e-5) @ xcopa[* - en](under: { clean | typos(rate: 0.1) }) with (seeds: 5)
report "R" { of: phang, where: { mlm: skip }, rows: intermediate, columns: benchmark, average: all, as: [table, heatmap] }
"""  # noqa: E501 - that is what it is about

BROKEN = """\
group few = [af, ar, bg, bn, de, el, en, es, et, eu, fa, fi, fr, he, hi, hu, id, it, ja, jv, ka, kk, ko, ml, mr, ms, my]
group all = [af, ar, bg, bn, de, el, en, es, et, eu, fa, fi, fr, he, hi, hu, id, it, ja, jv, ka, kk, ko, ml, mr, ms, my,
             nl]
let translated = {
    skip
  | mnli-tr: mnli[en, de, ru, sw]
  | qqp-tr: qqp[en, de, ru, sw]
  | hellaswag-tr: hellaswag[en, de]
}
phang: xlmr-large -> intermediate -> copa(lr: 1e-5) @ xcopa[* - en](under: { clean | typos(rate: 0.1) }) with (seeds: 5)
report "R" {
  of: phang
  where: { mlm: skip }
  rows: intermediate
  columns: benchmark
  average: all
  as: [table, heatmap]
}
"""


def test_lines_are_broken_where_they_grow_too_long():
    assert BROKEN == check_laws(LONG)


def test_a_stage_goes_whole_onto_the_next_line():
    head, stage = "x: xlmr-large -> hellaswag(epochs: 3, batch: 16, lr: 1e-5, warmup: 10%, max-length: 128)", "copa"
    tail = "(epochs: 10, lr: 5e-6, limit: 10k)"

    assert f"{head}\n  -> {stage}{tail}\n" == check_laws(f"{head} -> {stage}{tail}")


def test_items_far_to_the_right_go_on_from_the_left():
    name, codes = "a-name-that-is-longer-than-any-name-has-a-right-to-be", ", ".join(["aa"] * 30)
    once = check_laws(f"group {name}-2 = [{codes}]")

    assert once.startswith(f"group {name}-2 = [aa, aa")
    assert once.endswith("\n    " + "aa, " * 15 + "aa]\n")


def test_a_comment_stays_near_its_line_where_the_next_is_much_longer():
    text = "a -> b  # one\nxlmr-large -> hellaswag -> copa @ xcopa[*]  # two\n"

    assert text == check_laws(text)


def test_what_is_on_one_line_and_fits_stays_there_and_what_is_not_does_not():
    one = 'model m { weights: dir("m"), settings: { layer: 8 } }\n'
    two = 'model m {\n  weights: dir("m")\n  settings: { layer: 8 }\n}\n'

    assert [one, two] == [formatted(one), formatted(two)]
    assert two == formatted('model m { weights: dir("m")\n  settings: {layer: 8} }')


def test_a_spec_with_a_mistake_is_told_of_and_not_formatted():
    text, diagnostics = format_source(Source("a.xfer", "a -> b @ {"))

    assert text is None
    assert ["X0103"] == [d.code for d in diagnostics]


def test_a_spec_that_would_grow_longer_than_a_file_may_be_is_not_formatted(monkeypatch):
    for module in ("format", "parse"):
        monkeypatch.setattr(f"dsl.{module}.LONGEST", 50)
    text, diagnostics = format_source(Source("a.xfer", "a->b\n" * 10))

    assert text is None
    assert ["X0110"] == [d.code for d in diagnostics]


@pytest.mark.parametrize("text", ["", "\n", " \t\r\n\n"])
def test_an_empty_spec_stays_empty(text):
    assert "" == formatted(text)


def test_time_grows_with_the_text_and_no_faster():
    texts = [("\n".join(path.read_text(encoding="utf-8") for path in SPECS)) * times for times in (1, 6)]
    took = []
    for text in texts:
        start = process_time()
        formatted(text)
        took.append(process_time() - start)

    assert took[1] < 18 * took[0] + 0.1
