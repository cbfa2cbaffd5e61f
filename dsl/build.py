# ruff: noqa: D102, N802 - each method is named after its rule or terminal and returns that node
"""Syntax nodes from what Lark reduces: a method a rule of `grammar.lark`. No checks, no look-ups.

Lark keeps all tokens (`keep_all_tokens`), so the first and the last child bound the span of every node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lark import Transformer
from msgspec import Struct

from dsl import literals
from dsl.syntax import (
    Alternative,
    Argument,
    Budget,
    Call,
    Chain,
    Choice,
    Claim,
    Declaration,
    Defaults,
    Experiment,
    Group,
    Languages,
    LanguageTerm,
    Let,
    ListValue,
    Name,
    Number,
    Option,
    Pair,
    Record,
    Ref,
    Report,
    Selection,
    Signed,
    Skip,
    Stage,
    Statement,
    Statistic,
    String,
    Suite,
    Sum,
    Tail,
    Use,
    ValueChoice,
    Word,
)
from dsl.tokens import Lexeme

if TYPE_CHECKING:
    from dsl.source import Span
    from dsl.syntax import Part, Value


class _Settings(Struct, frozen=True):
    """`(…)` or `with (…)`, on the way to the node that holds them."""

    pairs: tuple[Pair, ...]
    span: Span


class _Quantifier(Struct, frozen=True):
    """`every language:`, on the way to its claim."""

    word: str
    axes: tuple[Name, ...]
    span: Span


_VALUES = (Number, String, Word, Call, ListValue, Record, ValueChoice)
_OPERANDS = (Number, Selection, Statistic)
_NodeT = TypeVar("_NodeT")
_Children = list[object]


def _span(children: _Children) -> Span:
    first, last = children[0], children[-1]
    return first.span.to(last.span)  # type: ignore[attr-defined,no-any-return]


def _all(children: _Children, kind: type[_NodeT]) -> tuple[_NodeT, ...]:
    return tuple(child for child in children if isinstance(child, kind))


def _maybe(children: _Children, kind: type[_NodeT]) -> _NodeT | None:
    return next((child for child in children if isinstance(child, kind)), None)


def _one(children: _Children, kind: type[_NodeT]) -> _NodeT:
    return next(child for child in children if isinstance(child, kind))


def _value(children: _Children) -> Value:
    return next(child for child in children if isinstance(child, _VALUES))


def _has(children: _Children, terminal: str) -> bool:
    return any(isinstance(child, Lexeme) and child.type == terminal for child in children)


def _settings(children: _Children) -> tuple[Pair, ...]:
    found = _maybe(children, _Settings)
    return found.pairs if found else ()


class Build(Transformer[Lexeme, object]):
    """Lark calls each method with the children of one rule, in the order of the text."""

    # --- tokens with a value

    def NAME(self, token: Lexeme) -> Name:
        return Name(token.text, token.span)

    def NUMBER(self, token: Lexeme) -> Number:
        value, unit = literals.number(token.text)
        return Number(value, unit, token.span)

    def STRING(self, token: Lexeme) -> String:
        return String(literals.string(token.text), token.span)

    # --- values

    def key(self, children: _Children) -> Name:
        word = children[0]
        return word if isinstance(word, Name) else Name(_span(children).text, _span(children))

    best = key

    def word(self, children: _Children) -> Word:
        return Word(_span(children).text, _span(children))

    def negative(self, children: _Children) -> Number:
        number = _one(children, Number)
        return Number(-number.value, number.unit, _span(children))

    def pair(self, children: _Children) -> Pair:
        return Pair(_one(children, Name), _value(children), _span(children))

    def argument(self, children: _Children) -> Argument:
        return Argument(_maybe(children, Name), _value(children), _span(children))

    def call(self, children: _Children) -> Call:
        return Call(_one(children, Name), _all(children, Argument), _span(children))

    def list(self, children: _Children) -> ListValue:
        items = tuple(child for child in children if isinstance(child, _VALUES))
        return ListValue(items, _span(children))

    def record(self, children: _Children) -> Record:
        return Record(_all(children, Pair), _span(children))

    def option(self, children: _Children) -> Option:
        return Option(_maybe(children, Name), _value(children), _span(children))

    candidate = option

    def value_choice(self, children: _Children) -> ValueChoice:
        return ValueChoice(_all(children, Option), _has(children, "BEST"), _span(children))

    best_choice = value_choice

    # --- chains

    def term(self, children: _Children) -> LanguageTerm:
        return LanguageTerm(_maybe(children, Name), _has(children, "MINUS"), _span(children))

    without = term

    def languages(self, children: _Children) -> Languages:
        return Languages(_all(children, LanguageTerm), _span(children))

    def settings(self, children: _Children) -> _Settings:
        return _Settings(_all(children, Pair), _span(children))

    def with_(self, children: _Children) -> _Settings:
        return _Settings(_settings(children), _span(children))

    def ref(self, children: _Children) -> Ref:
        return Ref(_one(children, Name), _maybe(children, Languages), _settings(children), _span(children))

    def skip(self, children: _Children) -> Skip:
        return Skip(_span(children))

    def alternative(self, children: _Children) -> Alternative:
        return Alternative(_maybe(children, Name), _all(children, Stage), _span(children))

    def choice(self, children: _Children) -> Choice:
        return Choice(_all(children, Alternative), _span(children))

    def stage(self, children: _Children) -> Stage:
        parts: tuple[Part, ...] = tuple(child for child in children if isinstance(child, (Ref, Skip, Choice)))
        return Stage(parts, _settings(children), _span(children))

    def chain(self, children: _Children) -> Chain:
        model = next(child for child in children if isinstance(child, (Name, Choice)))
        return Chain(model, _all(children, Stage), _all(children, Ref), _settings(children), _span(children))

    # --- statements

    def use(self, children: _Children) -> Use:
        return Use(_all(children, String), _span(children))

    def declaration(self, children: _Children) -> Declaration:
        name, *parent = _all(children, Name)
        word = _one(children, Lexeme).text
        return Declaration(word, name, parent[0] if parent else None, _one(children, Record), _span(children))

    def let(self, children: _Children) -> Let:
        return Let(_one(children, Name), _one(children, Stage), _span(children))

    def group(self, children: _Children) -> Group:
        return Group(_one(children, Name), _one(children, Languages), _span(children))

    def defaults(self, children: _Children) -> Defaults:
        return Defaults(_maybe(children, Name), _one(children, Record), _span(children))

    def tail(self, children: _Children) -> Tail:
        return Tail(_maybe(children, Name), _all(children, Stage), _all(children, Ref), None, _span(children))

    def inner(self, children: _Children) -> Tail:
        return Tail(None, (), (), _one(children, Name), _span(children))

    def suite(self, children: _Children) -> Suite:
        return Suite(_one(children, Name), _all(children, Tail), _span(children))

    def report(self, children: _Children) -> Report:
        return Report(_one(children, String), _one(children, Record), _span(children))

    def budget(self, children: _Children) -> Budget:
        return Budget(_one(children, Record), _span(children))

    def experiment(self, children: _Children) -> Experiment:
        return Experiment(_maybe(children, Name), _one(children, Chain), _span(children))

    def start(self, children: _Children) -> tuple[Statement, ...]:
        return tuple(children)  # type: ignore[arg-type]

    # --- claims

    def quantifier(self, children: _Children) -> _Quantifier:
        return _Quantifier(_one(children, Lexeme).text, _all(children, Name), _span(children))

    def first(self, children: _Children) -> Signed:
        term = next(child for child in children if isinstance(child, _OPERANDS))
        return Signed(_has(children, "MINUS"), term, _span(children))

    plus = minus = first

    def sum(self, children: _Children) -> Sum:
        return Sum(_all(children, Signed), _span(children))

    def statistic(self, children: _Children) -> Statistic:
        return Statistic(_one(children, Name), _one(children, Sum), _all(children, Pair), _span(children))

    def selection(self, children: _Children) -> Selection:
        return Selection(_one(children, Name), _all(children, Pair), _span(children))

    def claim(self, children: _Children) -> Claim:
        quantifier = _maybe(children, _Quantifier)
        left, right = _all(children, Sum)
        comparison = next(child.text for child in children if isinstance(child, Lexeme) and child.type == "COMPARISON")
        return Claim(
            title=_one(children, String),
            expect=_maybe(children, Name),
            quantifier=quantifier.word if quantifier else None,
            axes=quantifier.axes if quantifier else (),
            left=left,
            comparison=comparison,
            right=right,
            level=_maybe(children, Number),
            span=_span(children),
        )
