"""Suites: the tails that a chain stands for when it ends with the name of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from compiler import codes
from compiler.catalog import DEEPEST
from compiler.suggest import did_you_mean
from dsl.diagnostics import Label
from dsl.source import Span
from dsl.syntax import Chain, Name, Ref, Stage, Suite

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.resolve import Names
    from dsl.syntax import Tail


class Taken(Struct, frozen=True):
    """The alternative taken at one place: the axis it is a value of, and what it is called there."""

    axis: str
    value: str
    skip: bool = False  # whether it trains nothing, whatever it is called
    control: bool = False  # whether nobody wrote it: somebody compares with it


class End(Struct, frozen=True):
    """One way in which a chain goes on and ends."""

    stages: tuple[Stage, ...]
    targets: tuple[Ref, ...]
    span: Span
    taken: Mapping[Span, Taken] = field(default_factory=dict)  # the labels of the tails


def read_tails(chain: Chain, names: Names, bag: Bag) -> tuple[tuple[Stage, ...], tuple[End, ...]]:
    """The stages that all tails of a chain share, and the tails: one, its targets, unless it ends with a suite."""
    ref = chain.stages[-1].parts[0] if chain.stages and len(chain.stages[-1].parts) == 1 else None
    found = names.get(ref.name) if isinstance(ref, Ref) else None
    if not isinstance(ref, Ref) or not isinstance(found, Suite):
        return chain.stages, (End((), chain.targets, chain.span),)
    if ref.languages is not None or ref.settings or chain.stages[-1].settings:
        message = f"`{ref.name.text}` is a suite, which takes neither languages nor settings"
        bag.error(codes.WRONG_SORT, chain.stages[-1].span, message, "write them where its tasks stand")
        return chain.stages[:-1], ()
    if chain.targets:
        message = f"the chain ends with the suite `{ref.name.text}`, which has targets of its own"
        label = Label(ref.name.span, "the suite")
        bag.error(codes.WRONG_SORT, chain.targets[0].span, message, "write a second chain for them", label)
        return chain.stages[:-1], ()
    tails = tuple(_Flattening(names, bag).tails(found, ref.name, ()))
    _check_apart(tails, found, bag)
    return chain.stages[:-1], tails


class _Flattening(Struct):
    """Walks a suite and those within it; each counts once."""

    names: Names
    bag: Bag
    seen: dict[Span, Name] = field(default_factory=dict)

    def tails(self, suite: Suite, at: Name, inside: tuple[Suite, ...]) -> Iterator[End]:
        """The tails of a suite that is named at `at`, within the suites `inside`."""
        if suite in inside:
            self.bag.error(codes.INHERITANCE_CYCLE, at.span, f"the suite `{at.text}` is a part of itself")
            return
        if len(inside) >= DEEPEST:
            self.bag.error(codes.TOO_MANY, at.span, f"suites stand within suites more than {DEEPEST} deep")
            return
        if (first := self.seen.get(suite.name.span)) is not None:
            label = Label(first.span, "first here")
            self.bag.error(codes.LABEL_TWICE, at.span, f"the suite `{at.text}` stands twice", "once is enough", label)
            return
        self.seen[suite.name.span] = at
        labels: dict[str, Span] = {}
        for tail in suite.tails:
            if tail.suite is not None:
                yield from self._inner(tail.suite, (*inside, suite))
            elif tail.label is None or self._is_new(tail.label, labels):
                yield _end(tail, suite)

    def _inner(self, name: Name, inside: tuple[Suite, ...]) -> Iterator[End]:
        found = self.names.get(name)
        if isinstance(found, Suite):
            yield from self.tails(found, name, inside)
        elif found is not None:
            message = f"`{name.text}` is no suite: a tail begins with `->` or `@`"
            self.bag.error(codes.WRONG_SORT, name.span, message, f"write `-> {name.text} @ …`")
        elif not self.names.is_refused(name):
            hint = did_you_mean(name.text, self.names.all(name, Suite))
            self.bag.error(codes.UNKNOWN_NAME, name.span, f"there is no suite `{name.text}`", hint)

    def _is_new(self, label: Name, labels: dict[str, Span]) -> bool:
        first = labels.setdefault(label.text, label.span)
        if first is not label.span:
            where = Label(first, "first here")
            message = f"two tails of this suite are called `{label.text}`"
            self.bag.error(codes.LABEL_TWICE, label.span, message, None, where)
        return first is label.span


def _end(tail: Tail, suite: Suite) -> End:
    taken = {suite.name.span: Taken(suite.name.text, tail.label.text)} if tail.label is not None else {}
    return End(tail.stages, tail.targets, tail.span, taken)


def _check_apart(tails: tuple[End, ...], suite: Suite, bag: Bag) -> None:
    """Two tails that evaluate one benchmark are told apart by their labels."""
    first: dict[str, End] = {}
    reported: set[Span] = set()
    for tail in tails:
        for target in tail.targets:
            other = first.setdefault(target.name.text, tail)
            plain = next((t for t in (other, tail) if not t.taken), None)
            if other is not tail and plain is not None and plain.span not in reported:
                reported.add(plain.span)
                label = Label((tail if plain is other else other).span, "the other tail")
                message = f"two tails of `{suite.name.text}` evaluate `{target.name.text}`"
                bag.error(codes.NEEDS_LABEL, plain.span, message, "label them: `NAME: -> … @ …`", label)
