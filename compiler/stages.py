"""Stages before their choices of values are settled: what is the run's, and what is a part's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from compiler.mixes import MixRule
from compiler.settle import Open, OpenStage, is_of_run
from compiler.values import Options

if TYPE_CHECKING:
    from dsl.source import Span


def split(whole: Open, span: Span) -> OpenStage:
    """The stage of one task, whose settings hold those of the run."""
    run = {slot: given for slot, given in whole.givens.items() if is_of_run(given.key)}
    return OpenStage((part_of(whole),), run, span)


def part_of(whole: Open) -> Open:
    """A task of a stage with the settings of a part alone."""
    return replace(whole, givens={s: g for s, g in whole.givens.items() if not is_of_run(g.key)})


def alike(part: Open) -> tuple[object, ...]:
    """What equal parts have in common: the task, the languages, and the settings of a part."""
    settings = {slot: given.value for slot, given in part_of(part).givens.items()}
    return (part.task.span, part.languages, *sorted(settings.items(), key=lambda pair: pair[0]))


def weights_given(stage: OpenStage) -> Iterator[tuple[Span, MixRule, list[str]]]:
    """Each rule that may draw the parts of a stage, with its place and the parts' names."""
    given = stage.givens.get("mix")
    if given is None:
        return
    options = given.value.options if isinstance(given.value, Options) else (("", given.value),)
    for _, rule in options:
        if isinstance(rule, MixRule):
            yield given.span, rule, [p.task.name for p in stage.parts]
