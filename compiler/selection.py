"""`select: …`, which checkpoint of a training goes on: read where it stands, and met with the parts that are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.arguments import Arguments
from compiler.catalog import SELECT_ALLOWED
from compiler.ops import Limit
from compiler.suggest import did_you_mean
from dsl.syntax import Call, Word

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.settle import Settled
    from dsl.source import Span
    from dsl.syntax import Value

LAST, BEST = "last", "best"
TARGET_DEV = "target dev"  # the mark of scores whose checkpoint was chosen on dev data of their own language
_SIDES = ("source", "target")


class SelectRule(Struct, frozen=True):
    """`best(accuracy, every: 100, patience: 3, limit: 500, on: source)` as written; None where nothing is said."""

    metric: str | None = None
    every: int | None = None
    patience: int | None = None
    limit: Limit | None = None
    on_target: bool = False


def read_select(value: Value, bag: Bag) -> SelectRule | str | None:
    """The rule, or `last`; None after a finding."""
    match value:
        case Word(text="last"):
            return LAST
        case Word(text="best"):
            return SelectRule()
        case Call() if value.function.text == BEST:
            return _best(value, bag)
    word = value.text if isinstance(value, Word) else value.function.text if isinstance(value, Call) else ""
    hint = did_you_mean(word, (LAST, BEST)) if word else None
    bag.error(codes.WRONG_VALUE, value.span, f"`select` is `{value.span.text}` but must be {SELECT_ALLOWED}", hint)
    return None


def _best(call: Call, bag: Bag) -> SelectRule | None:
    arguments = Arguments(call, bag)
    metric = _metric(arguments)
    every, patience, rows = (_number(arguments, key) for key in ("every", "patience", "limit"))
    limit = Limit(rows, "fixed") if rows is not None else None
    on_target = _side(arguments) == "target"
    if on_target and patience is not None:
        message = "`patience` ends a training by one dev split, and `on: target` chooses by many"
        arguments.error(codes.WRONG_VALUE, call.span, message, "leave `patience:` out, or choose `on: source`")
    return SelectRule(metric, every, patience, limit, on_target) if arguments.done() else None


def _number(arguments: Arguments, key: str) -> int | None:
    arguments.known.append(key)
    return arguments.number(key, 1) if key in arguments.named else None


def _metric(arguments: Arguments) -> str | None:
    match [a.value for a in arguments.positional]:
        case []:
            return None
        case [Word(text=text)]:
            return text
        case [first, *_] as values:
            wrong = values[1] if len(values) > 1 else first
            message = f"`best(…)` takes one metric by its name, and `{wrong.span.text}` is none"
            arguments.error(codes.WRONG_VALUE, wrong.span, message, "for example `best(accuracy, every: 100)`")
    return None


def _side(arguments: Arguments) -> str:
    match arguments.value("on"):
        case None:
            return "source"
        case Word(text=text) if text in _SIDES:
            return text
        case value:
            message = f"`on` is `{value.span.text}` but must be `source` or `target`"
            arguments.error(codes.WRONG_VALUE, value.span, message)
    return "source"


def metric_of(rule: SelectRule, judged: Settled, place: Span, bag: Bag) -> str | None:
    """By which metric checkpoints are judged on a task: the rule's, else its first; None after a finding."""
    task = judged.task
    if rule.metric is None:
        return task.metrics[0]
    if rule.metric in task.kind.metrics:
        return rule.metric
    message = f"`{task.name}` is a {task.kind.name} task, which has no metric `{rule.metric}`"
    hint = did_you_mean(rule.metric, task.kind.metrics) or "leave the metric out: then each task's first one counts"
    bag.error(codes.WRONG_VALUE, place, message, hint)
    return None
