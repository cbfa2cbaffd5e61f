"""Lists of languages are sets in declared order."""

import pytest

from compiler.ops import Data, Train
from compiler.suggest import language_hint
from compiler.tags import same_language, standard
from tests.compiling import PRELUDE, compiled, counts, nodes, plan_of


@pytest.fixture
def plan(folder):
    return lambda text: plan_of(PRELUDE + text, folder)


def scored(plan):
    return [n.op.language for n in nodes(plan, Data) if n.op.scored]


@pytest.mark.parametrize(
    ("written", "languages"),
    [
        ("x", ["en", "de", "sw", "ta"]),
        ("x[*]", ["en", "de", "sw", "ta"]),
        ("x[ta, de]", ["de", "ta"]),
        ("x[de, de]", ["de"]),
        ("x[* - en]", ["de", "sw", "ta"]),
        ("x[* - en, de - de, de]", ["de", "sw", "ta"]),
        ("x[low]", ["sw", "ta"]),
        ("x[low - ta]", ["sw"]),
        ("x[* - low]", ["en", "de"]),
        ("x[* - qu]", ["en", "de", "sw", "ta"]),
        ("x[lower, en]", ["en", "sw"]),
    ],
)
def test_terms_apply_from_left_to_right(plan, written, languages):
    groups = "group low = [ta, qu, sw]\ngroup lower = [low - ta]\n"

    assert languages == scored(plan(f"{groups}m -> c @ {written}"))


def test_a_stage_reads_its_languages_in_one_run(plan):
    result = plan("m -> a[sw, de] -> c @ x[ta]\nm -> a[de, sw] -> c @ x[ta]")

    assert (1, 4, 2, 1, 1) == counts(result)
    assert ["de", "sw"] == [
        n.op.language for key in nodes(result, Train)[0].op.parts[0].data for n in result.nodes if n.key == key
    ]


def test_none_given_is_all_at_a_target_and_the_source_at_a_stage(plan):
    result = plan("m -> c @ x")

    assert ["en"] == [n.op.language for n in nodes(result, Data) if not n.op.scored]
    assert 4 == len(scored(result))


def test_what_a_labelled_stage_reads_is_not_zero_shot(plan):
    result = plan("m -> t -> a[de] -> c[en] @ x[*]")

    assert {"en": False, "de": False, "sw": True, "ta": True} == {c.language: c.zero_shot for c in result.cells}


def test_text_without_labels_leaves_a_language_zero_shot(folder):
    text = PRELUDE + 'task u : t { source: ta languages: [ta] data: files("t/train.jsonl") }\nm -> u -> c @ x[ta]'
    result = compiled(text, folder)

    assert [True] == [c.zero_shot for c in result.plan.cells]
    assert "X0311" not in {d.code for d in result.diagnostics}


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("swa", "`swa` is `sw` in BCP 47"),
        ("zh-Hans-CN", "these data call it `zh`"),
        ("DE", "`DE` is `de` in BCP 47"),
        ("en-de", "did you mean `en - de`?"),
        ("de-AT", "it has `de`"),
        ("se", "it has `de`, `en`, `sw`, `zh`"),
        ("ur", "it has `de`, `en`, `sw`, `zh`"),
    ],
)
def test_other_spellings_come_from_a_library_and_never_from_the_nearest_letters(code, hint):
    assert language_hint(code, ["de", "en", "sw", "zh"]).startswith(hint)


def test_data_may_use_the_longer_code():
    assert "these data call it `swh`" == language_hint("sw", ["swh", "deu"])


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("urd", "ur"), ("iw", "he"), ("in", "id"), ("cmn", "zh"), ("zh-CN", "zh-Hans"), ("swh", "sw"), ("ger", "de"),
        ("tgl", "tl"), ("en-US", "en"), ("pt_BR", "pt"), ("jp", "ja"), ("cz", "cs"), ("QAB", "qab"),
    ],
)  # fmt: skip
def test_codes_of_one_language(code, other):
    assert same_language(code, other)
    assert same_language(other, code)


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("zh-TW", "zh"),
        ("yue", "zh"),
        ("sr-Latn", "sr"),
        ("qaa", "qab"),
        ("sw", "sv"),
        ("low-sw", "sw"),
        ("pt-PT", "pt"),
    ],
)
def test_codes_of_different_languages(code, other):
    assert not same_language(code, other)


@pytest.mark.parametrize("code", ["", "-", "a", "x_x_x", "abcdefghij", "12", "sw-en-de", "zh-Hans-Hant", "İ"])
def test_what_is_no_code_stays_as_it_is_and_is_itself_alone(code):
    assert same_language(code, code)
    assert not same_language(code, "de")
    assert standard(code)[:1] == code[:1]


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("x[* - swa]", "`x` has no language `swa`", "`swa` is `sw` in BCP 47"),
        ("x[low-sw]", "there is no group of languages `low-sw`", "did you mean `low - sw`?"),
    ],
)
def test_what_a_list_can_only_have_meant_is_never_passed_over(folder, written, message, hint):
    """A language excluded under another of its codes would be evaluated and averaged."""
    found = compiled(f"{PRELUDE}group low = [ta, sw]\nm -> c @ {written}", folder).diagnostics

    (finding,) = [d for d in found if d.severity.value == "error"]
    assert message == finding.message
    assert finding.hint.startswith(hint)


def test_every_language_that_is_missing_is_told(folder):
    found = compiled(f"{PRELUDE}m -> c @ x[qu, sw, ht]", folder).diagnostics

    assert ["`x` has no language `qu`", "`x` has no language `ht`"] == [d.message for d in found]
