"""Each construct becomes its node, and each node's span holds exactly the construct's text."""

from pathlib import Path

import pytest
from msgspec import Struct

from dsl.parse import parse
from dsl.source import Source, Span
from dsl.syntax import Call, Choice, Number, Record, Ref, Skip, Statistic, String, ValueChoice, Word

VALID = sorted((Path(__file__).parents[1] / "cases" / "syntax" / "valid").glob("*.xfer"))


def spec_of(text):
    spec, diagnostics = parse(Source("case.xfer", text))

    assert () == diagnostics
    assert spec is not None
    return spec


def only(text):
    (statement,) = spec_of(text).statements

    assert text.strip() == statement.span.text
    return statement


def value(text):
    (pair,) = only(f"defaults {{ key: {text} }}").record.pairs

    assert ("key", text) == (pair.key.text, pair.value.span.text)
    assert f"key: {text}" == pair.span.text
    return pair.value


def stages(text):
    return only(f"m -> {text}").chain.stages


def settings(pairs):
    return {pair.key.text: pair.value.span.text for pair in pairs}


def nodes(node):
    """The node and all below it."""
    yield node
    for name in node.__struct_fields__:
        child = getattr(node, name)
        for part in child if isinstance(child, tuple) else (child,):
            if isinstance(part, Struct) and not isinstance(part, Source | Span):
                yield from nodes(part)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_whole_specs_parse(path):
    spec = spec_of(path.read_text(encoding="utf-8"))

    assert spec.statements


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_children_lie_in_order_within_their_parents(path):
    for statement in spec_of(path.read_text(encoding="utf-8")).statements:
        for parent in nodes(statement):
            places = [child.span for child in nodes(parent)][1:]

            assert all(parent.span.start <= span.start < span.end <= parent.span.end for span in places)


@pytest.mark.parametrize("text", ["", "  \n", "# only a comment", "\ufeff", "\ufeff# a comment\r\n\t"])
def test_an_empty_file_is_an_empty_spec(text):
    assert () == spec_of(text).statements


def test_one_line_is_a_study():
    chain = only("xlmr-large -> hellaswag -> copa @ xcopa[*]").chain

    assert "xlmr-large" == chain.model.text
    assert ["hellaswag", "copa"] == [stage.span.text for stage in chain.stages]
    assert ["xcopa[*]"] == [target.span.text for target in chain.targets]
    assert () == chain.settings


def test_an_experiment_has_a_label_and_settings_of_the_chain():
    experiment = only("phang: {a | big: b} @ x, y[* - en](limit: 5) with (seeds: 5, lr: 1e-5)")

    assert "phang" == experiment.label.text
    assert isinstance(experiment.chain.model, Choice)
    assert "{a | big: b}" == experiment.chain.model.span.text
    assert [None, "big"] == [a.label and a.label.text for a in experiment.chain.model.alternatives]
    assert () == experiment.chain.stages
    assert ["x", "y[* - en](limit: 5)"] == [target.span.text for target in experiment.chain.targets]
    assert {"seeds": "5", "lr": "1e-5"} == settings(experiment.chain.settings)


def test_the_settings_of_one_part_belong_to_the_part():
    (stage,) = stages("mnli[de, fr](epochs: 2)")
    (part,) = stage.parts

    assert isinstance(part, Ref)
    assert ("mnli", "[de, fr]", {"epochs": "2"}) == (part.name.text, part.languages.span.text, settings(part.settings))
    assert () == stage.settings


def test_the_settings_behind_parentheses_belong_to_the_run():
    (stage,) = stages("(mnli + qqp(limit: 9))(mix: uniform)")

    assert ["mnli", "qqp(limit: 9)"] == [part.span.text for part in stage.parts]
    assert {"mix": "uniform"} == settings(stage.settings)
    assert "(mnli + qqp(limit: 9))(mix: uniform)" == stage.span.text


def test_a_choice_among_stages():
    (stage,) = stages("skip + {skip | mnli | sico: siqa + a -> copa}")
    skip, choice = stage.parts

    assert isinstance(skip, Skip)
    assert [None, None, "sico"] == [a.label and a.label.text for a in choice.alternatives]
    assert [["skip"], ["mnli"], ["siqa + a", "copa"]] == [
        [stage.span.text for stage in alternative.stages] for alternative in choice.alternatives
    ]
    assert "sico: siqa + a -> copa" == choice.alternatives[2].span.text


def test_languages_are_terms_in_order():
    terms = only("group g = [*, sw - en - de.fr]").languages.terms

    assert [(None, False), ("sw", False), ("en", True), ("de.fr", True)] == [
        (term.code and term.code.text, term.minus) for term in terms
    ]
    assert ["*", "sw", "- en", "- de.fr"] == [term.span.text for term in terms]


def test_a_name_takes_hyphens_and_dots_but_no_arrow():
    assert ["a-b", "c.1"] == [stage.span.text for stage in stages("a-b->c.1")]
    assert ["sw-en"] == [term.code.text for term in only("group g = [sw-en]").languages.terms]


@pytest.mark.parametrize("word", ["model", "task", "benchmark"])
def test_declarations(word):
    declaration = only(f"{word} copa : multiple-choice {{ lr: 1 source: en, }}")

    assert (word, "copa", "multiple-choice") == (declaration.word, declaration.name.text, declaration.parent.text)
    assert {"lr": "1", "source": "en"} == settings(declaration.record.pairs)
    assert only(f"{word} copa {{ }}").parent is None


def test_use_names_files():
    assert ["a.xfer", "b.xfer"] == [path.value for path in only('use "a.xfer", "b.xfer"').paths]


def test_let_names_a_stage():
    let = only("let intermediate = { skip | mnli }")

    assert ("intermediate", "{ skip | mnli }") == (let.name.text, let.stage.span.text)


def test_defaults_may_have_a_scope():
    assert "copa" == only("defaults copa { lr: 1 }").scope.text
    assert only("defaults { lr: 1 }").scope is None


def test_a_suite_has_tails():
    suite = only("suite s { -> a -> b @ c, d | t: @ e[*] | other }")
    first, second, third = suite.tails

    assert (["a", "b"], ["c", "d"]) == ([s.span.text for s in first.stages], [t.span.text for t in first.targets])
    assert (None, None) == (first.label, first.suite)
    assert ("t", ["e[*]"]) == (second.label.text, [target.span.text for target in second.targets])
    assert ("other", (), ()) == (third.suite.text, third.stages, third.targets)
    assert ["-> a -> b @ c, d", "t: @ e[*]", "other"] == [tail.span.text for tail in suite.tails]


def test_a_report_and_a_budget_are_records():
    report = only('report "R" { of: phang, rows: [model, x] }')

    assert ("R", {"of": "phang", "rows": "[model, x]"}) == (report.title.value, settings(report.record.pairs))
    assert {"time": "40h", "disk": "2TB"} == settings(only("budget { time: 40h, disk: 2TB }").record.pairs)


def test_a_claim_in_full():
    claim = only('claim "T" expect refuted: every model, language: gain(x[a: b], over: c) - 2 >= -1 + y at 95%')

    assert ("T", "refuted", "every", ">=") == (claim.title.value, claim.expect.text, claim.quantifier, claim.comparison)
    assert ["model", "language"] == [axis.text for axis in claim.axes]
    assert (0.95, "%") == (claim.level.value, claim.level.unit)
    assert [(False, "gain(x[a: b], over: c)"), (True, "2")] == [(t.minus, t.term.span.text) for t in claim.left.terms]
    assert ["gain(x[a: b], over: c)", "- 2"] == [term.span.text for term in claim.left.terms]
    assert [(False, "-1"), (False, "y")] == [(t.minus, t.term.span.text) for t in claim.right.terms]
    assert "-1 + y" == claim.right.span.text


def test_a_claim_in_short():
    claim = only('claim "T": best(mean(x), over: i) > 50')
    (term,) = claim.left.terms

    assert (None, None, (), None) == (claim.expect, claim.quantifier, claim.axes, claim.level)
    assert isinstance(term.term, Statistic)
    assert ("best", "mean(x)", {"over": "i"}) == (
        term.term.function.text,
        term.term.operand.span.text,
        settings(term.term.options),
    )


def test_a_selection_has_pins():
    (term,) = only('claim "T": x[model: m, baseline: skip] > 0').left.terms

    assert ("x", {"model": "m", "baseline": "skip"}) == (term.term.name.text, settings(term.term.pins))


@pytest.mark.parametrize(
    ("text", "expected", "unit"),
    [
        ("3", 3, ""),
        ("1e-5", 1e-5, ""),
        ("0.1", 0.1, ""),
        ("2.0", 2.0, ""),
        ("95%", 0.95, "%"),
        ("100%", 1.0, "%"),
        ("5k", 5000, "k"),
        ("1.5k", 1500, "k"),
        ("2M", 2_000_000, "M"),
        ("1kB", 1000, "kB"),
        ("200GB", 200_000_000_000, "GB"),
        ("2TB", 2_000_000_000_000, "TB"),
        ("0.5MB", 500_000, "MB"),
        ("90s", 90, "s"),
        ("3min", 180, "min"),
        ("40h", 144_000, "h"),
        ("0.1h", 360, "h"),
        ("2d", 172_800, "d"),
        ("-2", -2, ""),
        ("- 1e-5", -1e-5, ""),
        ("12345678901234567890", 12345678901234567890, ""),
    ],
)
def test_numbers(text, expected, unit):
    number = value(text)

    assert isinstance(number, Number)
    assert (expected, type(expected), unit) == (number.value, type(number.value), number.unit)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('""', ""),
        ('"a # b"', "a # b"),
        (r'"\"\\\/\n\u00e9\ud83d\ude00"', '"\\/\né😀'),
        ('"tab\tin"', "tab\tin"),
        ('"""a \\n "b" """', 'a \\n "b" '),
        ('"""\n    one\n      two\n\n    three\n    """', "one\n  two\n\nthree"),
        ('"""one\n    two\n    three"""', "one\ntwo\nthree"),
        ('"""\r\n  one\r\n  two\r\n"""', "one\ntwo"),
    ],
)
def test_strings(text, expected):
    string = value(text)

    assert isinstance(string, String)
    assert expected == string.value


@pytest.mark.parametrize("text", ["none", "model", "skip", "best", "at", "fr-CA", "deu_Latn"])
def test_words(text):
    word = value(text)

    assert isinstance(word, Word)
    assert text == word.text


def test_calls():
    call = value("best(accuracy, every: 100, on: target, f(), model: {a: 1},)")

    assert isinstance(call, Call)
    assert "best" == call.function.text
    assert [None, "every", "on", None, "model"] == [a.name and a.name.text for a in call.arguments]
    assert ["accuracy", "100", "target", "f()", "{a: 1}"] == [a.value.span.text for a in call.arguments]
    assert ["accuracy", "every: 100"] == [a.span.text for a in call.arguments[:2]]


def test_lists_and_records():
    assert ["a", "[]", "{ }", "-3"] == [item.span.text for item in value("[a, [], { }, -3,]").items]

    record = value("{ a: 1 skip: 2, model: {b: c} }")

    assert isinstance(record, Record)
    assert {"a": "1", "skip": "2", "model": "{b: c}"} == settings(record.pairs)


@pytest.mark.parametrize(
    ("text", "best"), [("{1e-5 | low: f(a: 1) | none}", False), ("best {1e-5 | f(a: 1) | 3}", True)]
)
def test_choices_of_values(text, best):
    choice = value(text)

    assert isinstance(choice, ValueChoice)
    assert best == choice.best
    assert [None, None if best else "low", None] == [o.label and o.label.text for o in choice.options]
    assert ["1e-5", "f(a: 1)"] == [option.value.span.text for option in choice.options[:2]]


def test_statements_need_no_line_of_their_own():
    assert 3 == len(spec_of("let a = b c: d -> e @ f {g | h} -> i").statements)


def test_windows_line_ends_and_tabs_are_white_space():
    assert "let\ta\r\n=\r\n\tb" == only("let\ta\r\n=\r\n\tb").span.text
