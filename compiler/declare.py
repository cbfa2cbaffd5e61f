"""Declarations, merged and typed: what a model, a task or a benchmark is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from compiler import codes
from compiler.catalog import DECLARATION_KEYS, KINDS, SETTINGS, SOURCE, SPLITS, Kind
from compiler.embedded import WORLD_DISTANCES
from compiler.facts import Facts, read_facts, read_model_size, read_unverified
from compiler.labels import absent_labels, read_labels
from compiler.pairs import PAIRS, check_pairs, read_pairs
from compiler.reading import Reading, read_codes, read_languages, read_reading
from compiler.resolve import Merged
from compiler.sources import ModelSource, WorldData, read_weights
from compiler.spelling import check_codes
from compiler.suggest import did_you_mean
from compiler.values import Given, read_settings
from compiler.writing import describe
from dsl.syntax import Call, ListValue, Pair, Record, String, Value, Word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.bag import Bag
    from compiler.ops import AbsentRows
    from compiler.overlaps import Rows
    from compiler.places import Places
    from compiler.resolve import Names
    from compiler.shapes import ModelShape
    from dsl.source import Span


class ModelDecl(Struct, frozen=True):
    """`model NAME { weights: … settings: { … } }`"""

    name: str
    weights: ModelSource
    settings: tuple[Given, ...]
    span: Span
    size: ModelShape  # as far as it is declared
    unverified: tuple[str, ...]


class TaskDecl(Struct, frozen=True):
    """`task NAME : KIND { … }` or `benchmark …`, with all that it inherits."""

    name: str
    word: str
    kind: Kind
    reading: Reading
    per_language: Mapping[str, Reading]  # of languages that are read otherwise
    codes: Mapping[str, str]  # the data's own spellings, where they have others
    source: str  # the language it is trained in
    languages: tuple[str, ...]
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    split: str | None
    settings: tuple[Given, ...]
    ancestry: tuple[str, ...]
    lineage: tuple[Span, ...]  # the same, as places: itself, its parent, …
    span: Span
    facts: Facts
    said: Mapping[str, Span]  # where `labels` and `metrics` are, if they are
    absent: AbsentRows | None = None  # the file of its labels, where that must be obtained
    shared: Mapping[str, Mapping[Rows, Span]] = field(
        default_factory=dict
    )  # by split, as `compiler.overlaps` closes it

    def reading_of(self, language: str) -> Reading:
        """How the rows of a language are read."""
        return self.per_language.get(language, self.reading)

    @property
    def source_language(self) -> str:
        """The language of training as the data have it: of pairs the one with itself."""
        pair = f"{self.source}.{self.source}"
        return pair if pair in self.languages and self.source not in self.languages else self.source

    @property
    def distances(self) -> Mapping[str, float]:
        """How far its languages are from the source, as it says, or as the embedded world is made."""
        if not self.facts.distances and all(isinstance(s, WorldData) for s in self.reading.sources):
            return {code: d for code, d in WORLD_DISTANCES.items() if code in self.languages}
        return self.facts.distances

    def code_of(self, language: str) -> str:
        """The language as the data spell it."""
        return self.codes.get(language, language)

    @property
    def own_settings(self) -> tuple[Given, ...]:
        """Those that it does not inherit."""
        return tuple(g for g in self.settings if g.owner == self.name and g.span.source is self.span.source)


def declare_model(merged: Merged, bag: Bag) -> ModelDecl | None:
    """The typed model, or None after findings."""
    name = merged.declaration.name
    _check_keys(merged, DECLARATION_KEYS["model"], bag)
    pair = merged.nearest("weights")
    if pair is None and merged.declaration.parent is not None:
        return None  # reported where its line begins
    if pair is None:
        hint = 'for example `weights: dir("models/me5-small")` or `hf("FacebookAI/xlm-roberta-large")`'
        bag.error(codes.MISSING_KEY, name.span, f"model `{name.text}` has no `weights`", hint)
        return None
    weights = read_weights(pair.value, bag)
    settings = _settings(merged, bag)
    for given in settings:
        if given.key == "limit":
            message = "`limit` stands at a stage, a target or a task, not in a model"
            bag.error(codes.WRONG_SORT, given.span, message)
    size, unverified = read_model_size(merged, bag), read_unverified(merged, bag)
    return ModelDecl(name.text, weights, settings, name.span, size, unverified) if weights is not None else None


def declare_task(merged: Merged, names: Names, places: Places, bag: Bag) -> TaskDecl | None:
    """The typed task or benchmark, or None after findings."""
    declaration = merged.declaration
    name = declaration.name
    if merged.kind is None and declaration.parent is not None:
        return None  # reported where its line begins
    if merged.kind is None:
        hint = f"for example `{declaration.word} {name.text} : multiple-choice {{ … }}`"
        bag.error(codes.MISSING_KEY, name.span, f"{declaration.word} `{name.text}` has no kind", hint)
        return None
    kind = KINDS[merged.kind]
    _check_keys(merged, DECLARATION_KEYS["task"], bag)
    source, languages = spoken(merged, bag)
    check_codes(merged, names, bag)
    reading = read_reading(merged, kind, bag)
    if reading is None:
        return None
    absent = _absent_labels(merged, places)
    return TaskDecl(
        name=name.text,
        word=declaration.word,
        kind=kind,
        reading=reading,
        per_language=read_languages(merged, kind, languages, bag),
        codes=read_codes(merged, languages, bag),
        source=source,
        languages=languages,
        labels=_labels(merged, kind, absent, places, bag),
        absent=absent,
        metrics=_metrics(merged, kind, bag),
        split=_split(merged, bag),
        settings=_kind_settings(merged, kind, bag),
        ancestry=merged.ancestry,
        lineage=merged.lineage,
        span=name.span,
        facts=read_facts(merged, kind, languages, names, bag),
        said={key: pair.span for key in ("labels", "metrics") if (pair := merged.nearest(key)) is not None},
    )


def spoken(merged: Merged, bag: Bag) -> tuple[str, tuple[str, ...]]:
    """The language that a task is trained in, and all that it has."""
    source = _word(merged, "source", bag) or SOURCE
    pair = merged.nearest("languages")
    if pair is not None and isinstance(pair.value, Call) and pair.value.function.text == PAIRS:
        return source, read_pairs(pair.value, bag) or (source,)
    languages = _words(merged, "languages", bag) or (source,)
    if pair is not None and pair in merged.declaration.record.pairs:
        check_pairs(languages, pair.value.span, bag)
    return source, languages


def _check_keys(merged: Merged, known: tuple[str, ...], bag: Bag) -> None:
    for key, written in merged.pairs.items():
        pair, _ = written[0]
        if not merged.holds(pair.key.span):
            continue  # reported where it is written
        if key not in known:
            what = "models" if merged.declaration.word == "model" else "tasks and benchmarks"
            hint = did_you_mean(key.replace("_", "-"), known)
            bag.error(codes.UNKNOWN_KEY, pair.key.span, f"{what} have no key `{key}`", hint)


def _settings(merged: Merged, bag: Bag) -> tuple[Given, ...]:
    """The settings key by key, the nearest declaration first."""
    found: dict[str, Given] = {}
    for pair, owner in merged.pairs.get("settings", ()):
        if not isinstance(pair.value, Record):
            _wrong(pair, "a record such as `{ epochs: 3, lr: 1e-5 }`", bag)
            break
        for given in read_settings(pair.value.pairs, owner, bag):
            found.setdefault(given.slot, given)
    return tuple(found.values())


def _kind_settings(merged: Merged, kind: Kind, bag: Bag) -> tuple[Given, ...]:
    """The settings of a task; a key that neither its stages nor its targets have is an error."""
    settings = _settings(merged, bag)
    for given in settings:
        if not kind.has(given.key):
            hint = did_you_mean(given.key, [k for k in SETTINGS if kind.has(k)])
            bag.error(codes.UNKNOWN_KEY, given.span, f"{kind.name} has no setting `{given.key}`", hint)
    return settings


def _wrong(pair: Pair, expected: str, bag: Bag) -> None:
    bag.error(codes.WRONG_VALUE, pair.value.span, f"`{pair.key.text}` is {describe(pair.value)} but must be {expected}")


def _word(merged: Merged, key: str, bag: Bag) -> str | None:
    pair = merged.nearest(key)
    if pair is None:
        return None
    if isinstance(pair.value, Word):
        return pair.value.text
    _wrong(pair, "a word", bag)
    return None


def _words(merged: Merged, key: str, bag: Bag) -> tuple[str, ...]:
    pair = merged.nearest(key)
    if pair is None:
        return ()
    match pair.value:
        case ListValue(items=items) if items and all(isinstance(i, Word | String) for i in items):
            return tuple(dict.fromkeys(_text(i) for i in items))
        case _:
            _wrong(pair, _LISTS.get(key, "a list of names"), bag)
    return ()


_LISTS = {
    "languages": "a list such as `[de, fr]`, or `pairs(de, fr)`",
    "labels": "names such as `[no, yes]`; numbers in the data count them from 0",
}


def _text(value: Value) -> str:
    match value:
        case Word(text=text) | String(value=text):
            return text
        case _:
            return value.span.text


def _labels(merged: Merged, kind: Kind, absent: AbsentRows | None, places: Places, bag: Bag) -> tuple[str, ...]:
    pair = merged.nearest("labels")
    in_file = pair is not None and isinstance(pair.value, Call) and pair.value.function.text == "files"
    if absent is not None:
        return (absent.pattern,)  # nobody knows them, and no other file's are the same
    labels = read_labels(pair.value, places, bag) if in_file and pair else _words(merged, "labels", bag)
    if pair is not None and not kind.needs_labels:
        bag.error(codes.UNKNOWN_KEY, pair.key.span, f"{kind.name} has no `labels`", "take them out")
    if kind.needs_labels and pair is None and merged.begins():
        name = merged.declaration.name
        bag.error(codes.MISSING_KEY, name.span, f"`{name.text}` has no `labels`, which {kind.name} needs")
    return labels


def _absent_labels(merged: Merged, places: Places) -> AbsentRows | None:
    """The file of labels, if it lies in a root that nobody named and is to be obtained."""
    pair = merged.nearest("labels")
    return absent_labels(pair.value, places) if pair is not None and merged.nearest("obtain") is not None else None


def _metrics(merged: Merged, kind: Kind, bag: Bag) -> tuple[str, ...]:
    metrics = _words(merged, "metrics", bag) or (kind.metric,)
    pair = merged.nearest("metrics")
    for metric in metrics:
        if metric not in kind.metrics and pair is not None:
            hint = did_you_mean(metric, kind.metrics)
            bag.error(codes.WRONG_VALUE, pair.value.span, f"{kind.name} has no metric `{metric}`", hint)
    return metrics


def _split(merged: Merged, bag: Bag) -> str | None:
    split = _word(merged, "split", bag)
    pair = merged.nearest("split")
    if split is not None and split not in SPLITS and pair is not None:
        bag.error(codes.WRONG_VALUE, pair.value.span, f"there is no split `{split}`", did_you_mean(split, SPLITS))
        return None
    return split
