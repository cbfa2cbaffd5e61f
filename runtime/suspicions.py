"""What is suspicious in several data sets together: parallel languages that disagree, and splits that share rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from runtime.surveys import ANSWERS, asked, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runtime.surveys import Survey

_FEWEST = 3  # parallel languages, to say which of them is wrong
_SORTS = 20  # most different values of a field that sorts its rows, as `question: cause` does


class Suspicion(Struct, frozen=True):
    """Something about one data set, in words, and the rows in which it shows."""

    survey: str  # its name
    text: str
    rows: tuple[int, ...]


def suspicions(looked: Sequence[Survey], beside: Sequence[Survey] = ()) -> tuple[Suspicion, ...]:
    """What is suspicious in the data sets of one task; `beside` are others that the chain trains on."""
    found: list[Suspicion] = []
    for split in dict.fromkeys(s.split for s in looked):
        parallel = _parallel([s for s in looked if s.split == split])
        found += [*_disagreeing(parallel), *_untranslated(parallel)]
    return (*found, *_overlaps(looked, beside))


def _parallel(surveys: Sequence[Survey]) -> list[Survey]:
    """Those of one split that have the rows of most of its languages, if these are enough."""
    surveys = [s for s in surveys if s.are_rows]
    usual = Counter(tuple(s.indices) for s in surveys).most_common(1)
    found = [s for s in surveys if usual and tuple(s.indices) == usual[0][0]]
    return found if len(found) >= _FEWEST else []


def _disagreeing(surveys: Sequence[Survey]) -> Iterator[Suspicion]:
    """Languages in which a field that sorts rows has another value than in most."""
    for name in surveys[0].values[0] if surveys and surveys[0].values else ():
        columns = {s.name: [written(v[name]) for v in s.values] for s in surveys}
        sorts = {value for column in columns.values() for value in column}
        if not 1 < len(sorts) <= min(_SORTS, len(surveys[0].values) // 2):
            continue
        usual = [Counter(row).most_common(1)[0][0] for row in zip(*columns.values(), strict=True)]
        for survey in surveys:
            column = columns[survey.name]
            rows = [n for n, (value, other) in enumerate(zip(column, usual, strict=True)) if value != other]
            if rows:
                always = f"; it is always `{survey.values[0][name]}`" if len(set(column)) == 1 else ""
                text = f"`{name}` differs from what most of {len(surveys)} parallel languages have{always}"
                yield Suspicion(survey.name, text, tuple(survey.indices[n] for n in rows))


def _untranslated(surveys: Sequence[Survey]) -> Iterator[Suspicion]:
    """Languages in which a text is that of another language, word for word."""
    for survey in surveys:
        for other in surveys:
            if other is survey:
                break
            pairs = zip(survey.indices, survey.values, other.values, strict=True)
            rows = tuple(index for index, one, two in pairs if _is_same_text(one, two))
            if rows:
                yield Suspicion(survey.name, f"the texts are those of `{other.language}`", rows)


def _is_same_text(one: Mapping[str, object], two: Mapping[str, object]) -> bool:
    """Whether rows of two languages have the same texts, of which one is long enough to be translated."""
    texts = [(v, two.get(n)) for n, v in one.items() if n not in ANSWERS and isinstance(v, str)]
    return any(len(v.split()) > 2 and v == other for v, other in texts) and all(v == other for v, other in texts)  # noqa: PLR2004


def _overlaps(looked: Sequence[Survey], beside: Sequence[Survey]) -> Iterator[Suspicion]:
    """Rows that ask what a row of an earlier split, or of other data that are trained on, asks in the same language."""
    asking = {s.name: [asked(v) for v in s.values] for s in (*looked, *beside)}
    for number, survey in enumerate(looked):
        for other in (*looked[:number], *beside):
            if other.language == survey.language:
                known, pairs = {*asking[other.name]}, zip(survey.indices, asking[survey.name], strict=True)
                rows = tuple(index for index, question in pairs if question in known)
                if rows:
                    yield Suspicion(survey.name, f"`{other.name}` asks the same", rows)
