"""What a predicted answer is worth beside those that people gave: the rules of SQuAD's and MLQA's evaluation.

SQuAD 1.1 and 2.0: `evaluate-v1.1.py` and `evaluate-v2.0.py` of the data's authors (Rajpurkar et al. 2016, 2018), which
XTREME uses for XQuAD and TyDiQA in every language; MLQA: `mlqa_evaluation_v1.py` (Lewis et al. 2020).
"""

from __future__ import annotations

import re
import string
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache

Compare = Callable[[str, str, str, bool], float]  # prediction, answer, language, whether no answer may be right

_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_KNOWN = 100_000  # texts whose normal form is remembered: answers are asked about again in each language and seed
_ENGLISH = re.compile(r"\b(a|an|the)\b")
_HAN = re.compile("([\u4e00-\u9fa5])")

_ARTICLES: Mapping[str, re.Pattern[str]] = {  # MLQA's; a language that it lacks has none
    "en": _ENGLISH,
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "ar": re.compile(r"\sال^|ال"),
}


def best(compare: Compare, prediction: str, answers: Sequence[str], language: str, may_be_empty: bool) -> float:
    """What the prediction is worth beside the answer that it is nearest to.

    Without an answer, no answer is right. Where that may be (SQuAD 2.0), answers of which normalisation leaves nothing
    do not count beside others.
    """
    kept = [a for a in answers if normalised(a)] if may_be_empty else list(answers)
    return max(compare(prediction, answer, language, may_be_empty) for answer in kept or [""])


def exact(prediction: str, answer: str, _language: str, _may_be_empty: bool) -> float:
    """Whether both are the same after SQuAD's normalisation."""
    return float(normalised(prediction) == normalised(answer))


def f1(prediction: str, answer: str, _language: str, may_be_empty: bool) -> float:
    """F1 of their words after SQuAD's normalisation."""
    return _overlap(normalised(prediction).split(), normalised(answer).split(), may_be_empty or not answer)


def mlqa_exact(prediction: str, answer: str, language: str, _may_be_empty: bool) -> float:
    """Whether both are the same after MLQA's normalisation."""
    return float(mlqa_normalised(prediction, language) == mlqa_normalised(answer, language))


def mlqa_f1(prediction: str, answer: str, language: str, may_be_empty: bool) -> float:
    """F1 of their words after MLQA's normalisation."""
    said, meant = (mlqa_normalised(text, language).split() for text in (prediction, answer))
    return _overlap(said, meant, may_be_empty or not answer)


def _overlap(prediction: list[str], answer: list[str], may_be_empty: bool) -> float:
    """F1 of two bags of words; of two empty ones 1 where no answer may be right, else 0 (as SQuAD 1.1)."""
    if may_be_empty and not (prediction and answer):
        return float(prediction == answer)
    if prediction == answer:
        return float(bool(answer))
    if set(prediction).isdisjoint(answer):
        return 0.0
    same = (Counter(prediction) & Counter(answer)).total()
    precision, recall = same / len(prediction), same / len(answer)
    return 2 * precision * recall / (precision + recall)


@lru_cache(_KNOWN)
def normalised(text: str) -> str:
    """Lower case, without ASCII punctuation, the words `a`, `an` and `the`, and superfluous white space."""
    return " ".join(_ENGLISH.sub(" ", text.lower().translate(_ASCII_PUNCTUATION)).split())


@lru_cache(_KNOWN)
def mlqa_normalised(text: str, language: str) -> str:
    """Lower case, without punctuation of any script, the language's articles and superfluous white space.

    Of a pair of languages the second is the context's, and so the answer's. In Chinese each character is a word.
    """
    spoken = language.rpartition(".")[2].split("-")[0]
    kept = text.lower().translate(_punctuation())
    if spoken in _ARTICLES:
        kept = _ARTICLES[spoken].sub(" ", kept)
    return " ".join((_HAN.sub(r" \1 ", kept) if spoken == "zh" else kept).split())


@cache
def _punctuation() -> dict[int, None]:
    """All punctuation of Unicode, and of ASCII also what Unicode calls a symbol."""
    everything = (n for n in range(sys.maxunicode) if unicodedata.category(chr(n)).startswith("P"))
    return dict.fromkeys(everything) | dict.fromkeys(map(ord, string.punctuation))
