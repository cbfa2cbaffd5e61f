"""What an answer is worth: SQuAD's and MLQA's rules, beside a second implementation and torchmetrics."""

import string
import unicodedata
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.kinds import answers
from runtime.kinds.answers import best, exact, f1, mlqa_exact, mlqa_f1, mlqa_normalised, normalised

pytestmark = pytest.mark.ml  # `runtime.kinds` loads the runtime

LANGUAGES = ("en", "es", "hi", "vi", "de", "ar", "zh", "xx", "de.zh", "zh.de", "zh-Hans")


# --- normalisation


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("The", ""),
        ("  The\tCat,  a   dog! ", "cat dog"),
        ("an apple a day", "apple day"),
        ("theatre", "theatre"),  # an article is a whole word
        ("the-cat", "thecat"),  # punctuation goes first, and leaves no space
        ("a.", ""),
        ("U.S.A.", "usa"),
        ("$5 + 3 = 8", "5 3 8"),  # symbols of ASCII are in `string.punctuation`
        ("5 €", "5 €"),
        ("中国。", "中国。"),  # full-width punctuation stays
        ("“the” cat", "“ ” cat"),  # as do quotes that ASCII lacks, and they bound a word
        ("ÉCOLE", "école"),
        ("der Hund", "der hund"),  # English articles, whatever the language
    ],
)
def test_squads_normalisation(text, expected):
    assert expected == normalised(text)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "The “cat”—a dog。", "cata dog"),  # punctuation of every script, before the articles
        ("en", "The “cat” — a dog。", "cat dog"),
        ("en", "der un ال", "der un ال"),
        ("es", "El perro, la gata y unos", "perro gata y"),
        ("es", "¿elefante?", "elefante"),
        ("hi", "यह एक है। the", "यह एक है the"),  # no articles; the danda is punctuation
        ("vi", "Những cái bàn của tôi là", "bàn tôi"),
        ("de", "Der Hund, dem eine Katze", "hund katze"),
        ("de", "dessen einige", "dessen einige"),
        ("ar", "الكتاب، والبيت", "كتاب و بيت"),  # wherever it stands in a word
        ("zh", "中国a b。北京", "中 国 a b 北 京"),
        ("zh", "the 2008年", "the 2008 年"),
        ("zh", "\u9fa5\u9fa6x", "\u9fa5 \u9fa6x"),  # the last character of MLQA's range, and the next
        ("xx", "the der. 中国", "the der 中国"),  # one that MLQA does not know: neither articles nor characters
        ("de.zh", "der 中国", "der 中 国"),  # of a pair the second
        ("zh.de", "der 中国", "中国"),
        ("zh-Hans", "中国", "中 国"),
        ("en.zh-Hans", "the 中国", "the 中 国"),
        ("en", "1 $ 2 € 3", "1 2 € 3"),  # `$` is ASCII punctuation, the euro no punctuation
        ("en", "", ""),
    ],
)
def test_mlqas_normalisation(language, text, expected):
    assert expected == mlqa_normalised(text, language)


# --- worth of one prediction


@pytest.mark.parametrize(
    ("prediction", "answer", "expected"),
    [
        ("the cat sat", "a cat sat down", 0.8),  # 2 of 2 words, 2 of 3: 2 * 1 * 2/3 / (5/3)
        ("cat cat", "cat", 2 / 3),  # 1 of 2, 1 of 1: a word counts as often as both have it
        ("cat cat dog", "cat dog cat", 1.0),
        ("cat", "dog", 0.0),
        ("", "cat", 0.0),
        ("the", "cat", 0.0),
        ("cat", "the", 0.0),
    ],
)
@pytest.mark.parametrize("may_be_empty", [False, True])
def test_f1_is_that_of_bags_of_words(prediction, answer, expected, may_be_empty):
    assert pytest.approx(expected, rel=1e-15) == f1(prediction, answer, "en", may_be_empty)
    assert pytest.approx(expected, rel=1e-15) == mlqa_f1(prediction, answer, "en", may_be_empty)


def test_an_answer_of_which_nothing_is_left_is_matched_and_has_no_words():
    """SQuAD 1.1: equal after normalisation, and no word in common. SQuAD 2.0: the empty answer, which is right."""
    assert (1.0, 0.0) == (exact("the", "a", "en", False), f1("the", "a", "en", False))
    assert (1.0, 0.0) == (mlqa_exact("der", "die", "de", False), mlqa_f1("der", "die", "de", False))
    assert (1.0, 1.0) == (exact("the", "a", "en", True), f1("the", "a", "en", True))


def test_each_chinese_character_is_a_word_for_mlqa_and_none_for_squad():
    # 3 of 4 characters, 3 of 3: 2 * 3/4 / (7/4) = 6/7
    assert pytest.approx(6 / 7) == mlqa_f1("中国北京", "国北京", "zh", False)
    assert 0.0 == mlqa_f1("中国北京", "国北京", "en", False) == f1("中国北京", "国北京", "zh", False)


def test_an_arabic_article_does_not_make_an_answer_wrong():
    assert (1.0, 0.0) == (mlqa_exact("الكتاب", "كتاب", "ar", False), mlqa_exact("الكتاب", "كتاب", "en", False))
    assert 0.0 == exact("الكتاب", "كتاب", "ar", False)


# --- several answers, and none


@pytest.mark.parametrize("compare", [exact, f1, mlqa_exact, mlqa_f1])
@pytest.mark.parametrize("may_be_empty", [False, True])
def test_of_several_answers_the_nearest_counts(compare, may_be_empty):
    assert 1.0 == best(compare, "cat", ["dog", "the cat"], "en", may_be_empty)
    assert 1.0 == best(compare, "cat", ["the cat", "dog"], "en", may_be_empty)
    assert 0.0 == best(compare, "cat", ["dog", "bird"], "en", may_be_empty)


@pytest.mark.parametrize("compare", [exact, f1, mlqa_exact, mlqa_f1])
@pytest.mark.parametrize("may_be_empty", [False, True])
def test_without_an_answer_no_answer_is_right(compare, may_be_empty):
    assert 1.0 == best(compare, "", [], "en", may_be_empty)
    assert 0.0 == best(compare, "cat", [], "en", may_be_empty)


def test_an_answer_of_which_nothing_is_left_counts_beside_others_where_one_must_be_given():
    assert 1.0 == best(exact, "the", ["cat", "a"], "en", may_be_empty=False)
    assert 0.0 == best(exact, "the", ["cat", "a"], "en", may_be_empty=True)


# --- a second implementation, from the published description

_PIECES = (
    *("a", "an", "the", "The", "AN", "cat", "Cat", "dog", "x", "7", "ein", "der", "dem", "la", "unos", "el", "là"),
    *("của", "những", "ال", "كتاب", "الكتاب", "है", "中", "国", "\u9fa5", "\u9fa6", "é", "\u0301", "١", "_", "€", "©"),
    *(
        " ",
        " ",
        " ",
        "  ",
        "\t",
        "\u3000",
        "\u00a0",
        ".",
        ",",
        "-",
        "'",
        "$",
        "+",
        "。",
        "，",
        "「",
        "“",
        "¿",
        "—",
        "।",
    ),
)
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=9).map("".join)
_ARTICLES = {
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "vi": "của là cái chiếc những",
    "de": "ein eine einen einem eines einer der die das den dem des",
}


def _without_words(text, unwanted):
    """The text with a space for each unwanted one of its longest runs of letters, digits and underscores."""
    runs = ["".join(run) for _, run in groupby(text, lambda c: c.isalnum() or c == "_")]
    return "".join(" " if run in unwanted else run for run in runs)


def _squad_words(text):
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    return _without_words(kept, _ARTICLES["en"].split()).split()


def _mlqa_words(text, language):
    kept = "".join(
        c for c in text.lower() if not unicodedata.category(c).startswith("P") and c not in string.punctuation
    )
    kept = kept.replace("ال", " ") if language == "ar" else _without_words(kept, _ARTICLES.get(language, "").split())
    if language == "zh":
        kept = "".join(f" {c} " if "\u4e00" <= c <= "\u9fa5" else c for c in kept)
    return kept.split()


def _naive_f1(prediction, answer, may_be_empty):
    if may_be_empty and (not prediction or not answer):
        return float(not prediction and not answer)
    left, same = list(answer), 0
    for word in prediction:
        if word in left:
            left.remove(word)
            same += 1
    if not same:
        return 0.0
    precision, recall = same / len(prediction), same / len(answer)
    return 2 * precision * recall / (precision + recall)


@settings(max_examples=300)
@given(_TEXTS, st.lists(_TEXTS.filter(bool), min_size=1, max_size=3), st.booleans())
def test_squads_rules_are_those_of_a_second_implementation(prediction, golds, may_be_empty):
    said, meant = _squad_words(prediction), [_squad_words(gold) for gold in golds]
    if may_be_empty:
        meant = [words for words in meant if words] or [[]]

    assert max(float(words == said) for words in meant) == best(exact, prediction, golds, "en", may_be_empty)
    assert max(_naive_f1(said, words, may_be_empty) for words in meant) == best(
        f1, prediction, golds, "en", may_be_empty
    )


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=60)
@given(_TEXTS, st.lists(_TEXTS.filter(bool), min_size=1, max_size=3))
def test_mlqas_rules_are_those_of_a_second_implementation(language, prediction, golds):
    spoken = {"de.zh": "zh", "zh.de": "de", "zh-Hans": "zh"}.get(language, language)
    said, meant = _mlqa_words(prediction, spoken), [_mlqa_words(gold, spoken) for gold in golds]

    assert " ".join(said) == mlqa_normalised(prediction, language)
    assert max(float(words == said) for words in meant) == best(mlqa_exact, prediction, golds, language, False)
    assert max(_naive_f1(said, words, False) for words in meant) == best(mlqa_f1, prediction, golds, language, False)


@settings(max_examples=150)
@given(_TEXTS, st.lists(_TEXTS, min_size=1, max_size=3))
def test_squads_rules_are_those_of_torchmetrics(prediction, golds):
    """Whose F1 of two texts without words is SQuAD 2.0's, though its comparison is SQuAD 1.1's."""
    text = pytest.importorskip("torchmetrics.functional.text")
    found = text.squad(
        [{"prediction_text": prediction, "id": "1"}],
        [{"answers": {"answer_start": [0] * len(golds), "text": golds}, "id": "1"}],
    )
    squad2 = [answers.f1(prediction, gold, "en", True) for gold in golds]

    assert found["exact_match"].item() == 100 * best(exact, prediction, golds, "en", False)
    assert found["f1"].item() == pytest.approx(100 * max(squad2), abs=1e-4)  # float32
    if normalised(prediction) and all(map(normalised, golds)):
        assert max(squad2) == best(f1, prediction, golds, "en", False)
