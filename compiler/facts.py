"""What a declaration says of its data or weights beside what they mean: nothing here is part of a key.

Sizes are for estimates, `obtain` for messages, `unverified` and `published` for readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from compiler import codes
from compiler.catalog import OF_A_SCORE, SIZES, SPLITS, UNVERIFIED, Kind
from compiler.resolve import own_pairs
from compiler.shapes import ModelShape
from compiler.suggest import did_you_mean, listing
from compiler.writing import describe
from dsl.syntax import ListValue, Name, Number, Pair, Record, String, Value, Word

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.resolve import Merged, Names

MEAN = "mean"  # the mean over languages, in the place of a language
_POINTS = 100  # published scores are as papers print them: proportions in points


class Published(Struct, frozen=True):
    """A score that somebody published."""

    system: str
    source: str  # where it was read
    metric: str
    language: str  # or `mean`
    score: float  # as published: a proportion in points, 0 to 100
    model: str | None = None  # of those in scope: the one that the system starts from
    split: str | None = None  # unless it is the one that is scored anyway
    note: str | None = None


class Facts(Struct, frozen=True):
    """What a task or a benchmark says of itself."""

    rows: Mapping[str, int]  # of each split, in one language
    tokens: int | None = None  # of a row, all its texts together
    obtain: str | None = None  # how one gets the data, where they cannot be fetched
    unverified: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()
    distances: Mapping[str, float] = field(default_factory=dict)  # of its languages from the source, as it says


def read_facts(merged: Merged, kind: Kind, languages: tuple[str, ...], names: Names, bag: Bag) -> Facts:
    """Those of a task; findings are reported, and what is wrong is left out."""
    numbers = _numbers(merged, SIZES["task"], bag)
    return Facts(
        rows={key: number for key, number in numbers.items() if key in SPLITS},
        tokens=numbers.get("tokens"),
        obtain=read_text(merged, "obtain", bag),
        unverified=read_unverified(merged, bag),
        published=_published(merged, kind, languages, names, bag),
        distances=_distances(merged, languages, bag),
    )


def read_model_size(merged: Merged, bag: Bag) -> ModelShape:
    """What a model says of its sizes."""
    numbers = _numbers(merged, SIZES["model"], bag)
    return ModelShape(**numbers)


def read_unverified(merged: Merged, bag: Bag) -> tuple[str, ...]:
    """What of a declaration nobody has seen in a published file."""
    pair = merged.nearest("unverified")
    if pair is None:
        return ()
    items = pair.value.items if isinstance(pair.value, ListValue) else ()
    if not items:
        _wrong(pair.key.text, pair.value, "a list such as `[columns]`", bag)
    for item in items:
        if not isinstance(item, Word) or item.text not in UNVERIFIED:
            hint = did_you_mean(item.span.text, UNVERIFIED)
            _wrong("unverified", item, f"one of {', '.join(UNVERIFIED)}", bag, hint)
    return tuple(item.text for item in items if isinstance(item, Word))


def read_text(merged: Merged, key: str, bag: Bag) -> str | None:
    """A text in quotes, or None."""
    pair = merged.nearest(key)
    if pair is None:
        return None
    if isinstance(pair.value, String) and pair.value.value.strip():
        return pair.value.value
    _wrong(key, pair.value, "a text in quotes", bag)
    return None


def _numbers(merged: Merged, known: tuple[str, ...], bag: Bag) -> dict[str, int]:
    """The whole numbers of `size`."""
    pair = merged.nearest("size")
    if pair is None:
        return {}
    if not isinstance(pair.value, Record):
        _wrong("size", pair.value, f"a record such as `{{ {known[0]}: 400 }}`", bag)
        return {}
    found: dict[str, int] = {}
    for key, inner in own_pairs(pair.value, bag).items():
        match inner.value:
            case _ if key not in known:
                hint = did_you_mean(key, known)
                bag.error(codes.UNKNOWN_KEY, inner.key.span, f"`size` has no key `{key}`", hint)
            case Number(value=number, unit="" | "k" | "M") if number == int(number) and number > 0:
                found[key] = int(number)
            case value:
                _wrong(key, value, "a whole number from 1", bag)
    return found


def _distances(merged: Merged, languages: tuple[str, ...], bag: Bag) -> dict[str, float]:
    """How far languages are from the source, in whatever unit; those that an ancestor speaks of may not be here."""
    pair = merged.nearest("distances")
    if pair is None:
        return {}
    if not isinstance(pair.value, Record):
        _wrong("distances", pair.value, "a record such as `{ sw: 0.62, ta: 0.71 }`", bag)
        return {}
    found: dict[str, float] = {}
    for language, inner in own_pairs(pair.value, bag).items():
        match inner.value:
            case Number(value=number, unit="") if number >= 0:
                found[language] = float(number)
            case value:
                _wrong(language, value, "a distance: a number from 0", bag)
        if language not in languages and merged.holds(inner.key.span):
            message = f"the declaration has no language `{language}`"
            bag.error(codes.NO_LANGUAGE, inner.key.span, message, f"it has {listing(languages)}")
    return {language: distance for language, distance in found.items() if language in languages}


# --- published scores


def _published(merged: Merged, kind: Kind, languages: tuple[str, ...], names: Names, bag: Bag) -> tuple[Published, ...]:
    pair = merged.nearest("published")
    if pair is None:
        return ()
    items = pair.value.items if isinstance(pair.value, ListValue) else (pair.value,)
    reader = _Scores(kind, languages, names, bag)
    return tuple(score for item in items for score in reader.read(item))


class _Scores(Struct, frozen=True):
    """Reads the records of `published` of one declaration."""

    kind: Kind
    languages: tuple[str, ...]
    names: Names
    bag: Bag

    def read(self, item: Value) -> list[Published]:
        """The scores of one record; none after a finding."""
        if not isinstance(item, Record):
            example = '`{ system: "mBERT", accuracy: 54.3, source: "…" }`'
            _wrong("published", item, f"a record such as {example}, or a list of them", self.bag)
            return []
        pairs = own_pairs(item, self.bag)
        known = (*OF_A_SCORE, *self.kind.metrics)
        for key in pairs.keys() - set(known):
            pair = pairs[key]
            hint = did_you_mean(key, known)
            self.bag.error(codes.UNKNOWN_KEY, pair.key.span, f"a published score has no key `{key}`", hint)
        texts = {key: self._text(pairs.get(key), item) for key in ("system", "source")}
        note = self._text(pairs["note"], item) if "note" in pairs else None
        model, split = self._model(pairs.get("model")), self._split(pairs.get("split"))
        scores = [s for key, pair in pairs.items() if key in self.kind.metrics for s in self._scores(pair)]
        if not pairs.keys() - set(OF_A_SCORE):
            hint = f"for example `{self.kind.metric}: 54.3`"
            self.bag.error(codes.MISSING_KEY, item.span, "a published score needs a metric", hint)
        return [
            Published(texts["system"], texts["source"], metric, language, score, model, split, note)
            for metric, language, score in scores
        ]

    def _text(self, pair: Pair | None, item: Record) -> str:
        match pair:
            case None:
                self.bag.error(codes.MISSING_KEY, item.span, "a published score needs a `system` and a `source`")
            case Pair(value=String(value=text)):
                return text
            case _:
                _wrong(pair.key.text, pair.value, "a text in quotes", self.bag)
        return ""

    def _model(self, pair: Pair | None) -> str | None:
        if pair is None:
            return None
        if isinstance(pair.value, Word) and self.names.is_model(Name(pair.value.text, pair.value.span)):
            return pair.value.text
        near = Name(pair.value.span.text, pair.value.span)
        _wrong("model", pair.value, "the name of a model", self.bag, did_you_mean(near.text, self.names.models(near)))
        return None

    def _split(self, pair: Pair | None) -> str | None:
        if pair is None:
            return None
        if isinstance(pair.value, Word) and pair.value.text in SPLITS:
            return pair.value.text
        _wrong("split", pair.value, f"one of {', '.join(SPLITS)}", self.bag)
        return None

    def _scores(self, pair: Pair) -> list[tuple[str, str, float]]:
        """Metric, language and score: of the mean over languages, or of each."""
        metric = pair.key.text
        if not isinstance(pair.value, Record):
            score = self._number(metric, pair.value)
            return [] if score is None else [(metric, MEAN, score)]
        found = []
        for language, inner in own_pairs(pair.value, self.bag).items():
            score = self._number(language, inner.value)
            if language not in (MEAN, *self.languages):
                message = f"the declaration has no language `{language}`"
                self.bag.error(codes.NO_LANGUAGE, inner.key.span, message, f"or `{MEAN}`, the mean over languages")
            elif score is not None:
                found.append((metric, language, score))
        return found

    def _number(self, key: str, value: Value) -> float | None:
        if isinstance(value, Number) and value.unit == "" and -_POINTS <= value.value <= _POINTS:
            return float(value.value)
        _wrong(key, value, f"a number of points from -{_POINTS} to {_POINTS}", self.bag)
        return None


def _wrong(key: str, value: Value, expected: str, bag: Bag, hint: str | None = None) -> None:
    bag.error(codes.WRONG_VALUE, value.span, f"`{key}` is {describe(value)} but must be {expected}", hint)
