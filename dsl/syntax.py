"""The nodes of a spec (docs/language.md; section numbers stand at the classes). Frozen, slotted, each with its span."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from dsl.source import Source, Span


class Name(Struct, frozen=True):
    """`xlmr-large`"""

    text: str
    span: Span


# --- values (2, 6, 7) ---------------------------------------------------------------------------------------------


class Number(Struct, frozen=True):
    """`3`, `1e-5`, `95%`, `40h`: `value` has the unit applied (`95%` is 0.95, `40h` seconds, `2TB` bytes)."""

    value: int | float
    unit: str
    span: Span


class String(Struct, frozen=True):
    '''`"…"` or `"""…"""`, escapes resolved and common indent removed.'''

    value: str
    span: Span


class Word(Struct, frozen=True):
    """A bare word as a value: `none`, `linear`, `model`."""

    text: str
    span: Span


class Argument(Struct, frozen=True):
    """`revision: "abc"` or a bare value inside a call."""

    name: Name | None
    value: Value
    span: Span


class Call(Struct, frozen=True):
    """`hf("aps/super_glue", config: "copa")`; also `best(accuracy, every: 100)`."""

    function: Name
    arguments: tuple[Argument, ...]
    span: Span


class ListValue(Struct, frozen=True):
    """`[a, b]` as a value."""

    items: tuple[Value, ...]
    span: Span


class Pair(Struct, frozen=True):
    """`key: value`, in a record or between parentheses."""

    key: Name
    value: Value
    span: Span


class Record(Struct, frozen=True):
    """`{ key: value … }`"""

    pairs: tuple[Pair, ...]
    span: Span


class Option(Struct, frozen=True):
    """One way of a choice of values, `1e-5` or `low: 1e-5`."""

    label: Name | None
    value: Value
    span: Span


class ValueChoice(Struct, frozen=True):
    """`{1e-5 | 3e-5}`; with `best` in front, `best` is true."""

    options: tuple[Option, ...]
    best: bool
    span: Span


Value = Number | String | Word | Call | ListValue | Record | ValueChoice


# --- chains (4, 5) ------------------------------------------------------------------------------------------------


class LanguageTerm(Struct, frozen=True):
    """One term of a language list: `code` is None for `*`; `minus` when a `-` stands before it."""

    code: Name | None
    minus: bool
    span: Span


class Languages(Struct, frozen=True):
    """`[* - en]`, `[sw, ta]`; the terms apply from left to right."""

    terms: tuple[LanguageTerm, ...]
    span: Span


class Ref(Struct, frozen=True):
    """`mnli[de, fr](epochs: 2)`: a task, a benchmark, a let or a suite, by name."""

    name: Name
    languages: Languages | None
    settings: tuple[Pair, ...]
    span: Span


class Skip(Struct, frozen=True):
    """`skip`"""

    span: Span


class Alternative(Struct, frozen=True):
    """`co: copa` or `sico: siqa -> copa` in a choice."""

    label: Name | None
    stages: tuple[Stage, ...]
    span: Span


class Choice(Struct, frozen=True):
    """`{skip | mnli | all: mnli + qqp}`; its place in the text is an axis."""

    alternatives: tuple[Alternative, ...]
    span: Span


Part = Ref | Skip | Choice


class Stage(Struct, frozen=True):
    """`mnli + qqp`, or `(mnli + qqp)(epochs: 3)`: one training run; `settings` are those after the parentheses."""

    parts: tuple[Part, ...]
    settings: tuple[Pair, ...]
    span: Span


class Chain(Struct, frozen=True):
    """`xlmr-large -> mnli -> copa @ xcopa[*] with (seeds: 5)`"""

    model: Name | Choice
    stages: tuple[Stage, ...]
    targets: tuple[Ref, ...]
    settings: tuple[Pair, ...]
    span: Span


# --- statements (3) -----------------------------------------------------------------------------------------------


class Use(Struct, frozen=True):
    """`use "other.xfer"`"""

    paths: tuple[String, ...]
    span: Span


class Declaration(Struct, frozen=True):
    """`task copa : multiple-choice { … }`; `word` is `model`, `task` or `benchmark`."""

    word: str
    name: Name
    parent: Name | None
    record: Record
    span: Span


class Let(Struct, frozen=True):
    """`let intermediate = { skip | mnli }`"""

    name: Name
    stage: Stage
    span: Span


class Group(Struct, frozen=True):
    """`group low-resource = [ht, qu]`"""

    name: Name
    languages: Languages
    span: Span


class Defaults(Struct, frozen=True):
    """`defaults multiple-choice { lr: 1e-5 }`; `scope` is None for every node."""

    scope: Name | None
    record: Record
    span: Span


class Tail(Struct, frozen=True):
    """`-> mnli(epochs: 2) @ xnli[*]` in a suite, or another suite's name (`suite`)."""

    label: Name | None
    stages: tuple[Stage, ...]
    targets: tuple[Ref, ...]
    suite: Name | None
    span: Span


class Suite(Struct, frozen=True):
    """`suite xtreme { tail | tail }`"""

    name: Name
    tails: tuple[Tail, ...]
    span: Span


class Report(Struct, frozen=True):
    """`report "TITLE" { … }`"""

    title: String
    record: Record
    span: Span


class Selection(Struct, frozen=True):
    """`phang[intermediate: hellaswag]` in a claim."""

    name: Name
    pins: tuple[Pair, ...]
    span: Span


class Statistic(Struct, frozen=True):
    """`worst(gain(x), over: language)` in a claim."""

    function: Name
    operand: Sum
    options: tuple[Pair, ...]
    span: Span


class Signed(Struct, frozen=True):
    """A term of a sum with its sign."""

    minus: bool
    term: Number | Selection | Statistic
    span: Span


class Sum(Struct, frozen=True):
    """`mean(a) - mean(b)`"""

    terms: tuple[Signed, ...]
    span: Span


class Claim(Struct, frozen=True):
    """`claim "T" expect refuted: every language: gain(x) > 0 at 95%`"""

    title: String
    expect: Name | None
    quantifier: str | None
    axes: tuple[Name, ...]
    left: Sum
    comparison: str
    right: Sum
    level: Number | None
    span: Span


class Budget(Struct, frozen=True):
    """`budget { time: 40h, disk: 200GB }`"""

    record: Record
    span: Span


class Experiment(Struct, frozen=True):
    """`[LABEL:] chain`"""

    label: Name | None
    chain: Chain
    span: Span


Statement = Use | Declaration | Let | Group | Defaults | Suite | Report | Claim | Budget | Experiment


class Spec(Struct, frozen=True):
    """A whole file."""

    source: Source
    statements: tuple[Statement, ...]
