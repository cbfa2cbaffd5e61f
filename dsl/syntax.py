"""The nodes of a spec (docs/language.md; section numbers stand at the classes). Frozen, slotted, each with its span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Name:
    """`xlmr-large`"""

    text: str
    span: Span


# --- values (2, 6, 7) ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """`3`, `1e-5`, `95%`, `40h`: `value` has the unit applied (`95%` is 0.95, `40h` seconds, `2TB` bytes)."""

    value: int | float
    unit: str
    span: Span


@dataclass(frozen=True, slots=True)
class String:
    '''`"…"` or `"""…"""`, escapes resolved and common indent removed.'''

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word as a value: `none`, `linear`, `model`."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """`revision: "abc"` or a bare value inside a call."""

    name: Name | None
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`hf("aps/super_glue", config: "copa")`; also `best(accuracy, every: 100)`."""

    function: Name
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ListValue:
    """`[a, b]` as a value."""

    items: tuple[Value, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Pair:
    """`key: value`, in a record or between parentheses."""

    key: Name
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Record:
    """`{ key: value … }`"""

    pairs: tuple[Pair, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Option:
    """One way of a choice of values, `1e-5` or `low: 1e-5`."""

    label: Name | None
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class ValueChoice:
    """`{1e-5 | 3e-5}`; with `best` in front, `best` is true."""

    options: tuple[Option, ...]
    best: bool
    span: Span


Value = Number | String | Word | Call | ListValue | Record | ValueChoice


# --- chains (4, 5) ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LanguageTerm:
    """One term of a language list: `code` is None for `*`; `minus` when a `-` stands before it."""

    code: Name | None
    minus: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Languages:
    """`[* - en]`, `[sw, ta]`; the terms apply from left to right."""

    terms: tuple[LanguageTerm, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Ref:
    """`mnli[de, fr](epochs: 2)`: a task, a benchmark, a let or a suite, by name."""

    name: Name
    languages: Languages | None
    settings: tuple[Pair, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Skip:
    """`skip`"""

    span: Span


@dataclass(frozen=True, slots=True)
class Alternative:
    """`co: copa` or `sico: siqa -> copa` in a choice."""

    label: Name | None
    stages: tuple[Stage, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Choice:
    """`{skip | mnli | all: mnli + qqp}`; its place in the text is an axis."""

    alternatives: tuple[Alternative, ...]
    span: Span


Part = Ref | Skip | Choice


@dataclass(frozen=True, slots=True)
class Stage:
    """`mnli + qqp`, or `(mnli + qqp)(epochs: 3)`: one training run; `settings` are those after the parentheses."""

    parts: tuple[Part, ...]
    settings: tuple[Pair, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Chain:
    """`xlmr-large -> mnli -> copa @ xcopa[*] with (seeds: 5)`"""

    model: Name | Choice
    stages: tuple[Stage, ...]
    targets: tuple[Ref, ...]
    settings: tuple[Pair, ...]
    span: Span


# --- statements (3) -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Use:
    """`use "other.xfer"`"""

    paths: tuple[String, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Declaration:
    """`task copa : multiple-choice { … }`; `word` is `model`, `task` or `benchmark`."""

    word: str
    name: Name
    parent: Name | None
    record: Record
    span: Span


@dataclass(frozen=True, slots=True)
class Let:
    """`let intermediate = { skip | mnli }`"""

    name: Name
    stage: Stage
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """`group low-resource = [ht, qu]`"""

    name: Name
    languages: Languages
    span: Span


@dataclass(frozen=True, slots=True)
class Defaults:
    """`defaults multiple-choice { lr: 1e-5 }`; `scope` is None for every node."""

    scope: Name | None
    record: Record
    span: Span


@dataclass(frozen=True, slots=True)
class Tail:
    """`-> mnli(epochs: 2) @ xnli[*]` in a suite, or another suite's name (`suite`)."""

    label: Name | None
    stages: tuple[Stage, ...]
    targets: tuple[Ref, ...]
    suite: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class Suite:
    """`suite xtreme { tail | tail }`"""

    name: Name
    tails: tuple[Tail, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Report:
    """`report "TITLE" { … }`"""

    title: String
    record: Record
    span: Span


@dataclass(frozen=True, slots=True)
class Selection:
    """`phang[intermediate: hellaswag]` in a claim."""

    name: Name
    pins: tuple[Pair, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Statistic:
    """`worst(gain(x), over: language)` in a claim."""

    function: Name
    operand: Sum
    options: tuple[Pair, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Signed:
    """A term of a sum with its sign."""

    minus: bool
    term: Number | Selection | Statistic
    span: Span


@dataclass(frozen=True, slots=True)
class Sum:
    """`mean(a) - mean(b)`"""

    terms: tuple[Signed, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Claim:
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


@dataclass(frozen=True, slots=True)
class Budget:
    """`budget { time: 40h, disk: 200GB }`"""

    record: Record
    span: Span


@dataclass(frozen=True, slots=True)
class Experiment:
    """`[LABEL:] chain`"""

    label: Name | None
    chain: Chain
    span: Span


Statement = Use | Declaration | Let | Group | Defaults | Suite | Report | Claim | Budget | Experiment


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole file."""

    source: Source
    statements: tuple[Statement, ...]
