"""Values as a spec writes them: the same text wherever they stood, broken into lines where one is too long."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dsl.syntax import Argument, Call, ListValue, Number, Option, Pair, Record, String, Value, ValueChoice, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDTH = 100  # of a line of text, its note apart
_STEP = "  "


def written(value: Value) -> str:
    """The value in one line."""
    match value:
        case Number(span=span):
            return span.text
        case Word(text=text):
            return text
        case String(value=text, span=span):
            return span.text if "\n" not in span.text else json.dumps(text, ensure_ascii=False)
        case ListValue(items=items):
            return f"[{', '.join(written(i) for i in items)}]"
        case Record(pairs=pairs):
            return f"{{ {', '.join(_labelled(p) for p in pairs)} }}" if pairs else "{ }"
        case Call(function=function, arguments=arguments):
            return f"{function.text}({', '.join(_labelled(a) for a in arguments)})"
        case ValueChoice(options=options, best=best):
            return f"{'best ' * best}{{{' | '.join(_labelled(o) for o in options)}}}"


def _labelled(item: Pair | Argument | Option) -> str:
    match item:
        case Pair(key=name, value=value) | Argument(name=name, value=value) | Option(label=name, value=value):
            return f"{name.text}: {written(value)}" if name is not None else written(value)


def describe(value: Value) -> str:
    """What a value is, in words, for messages."""
    match value:
        case Number():
            return f"`{value.span.text}`"
        case String():
            return "a text"
        case Word(text=text):
            return f"`{text}`"
        case Call(function=function):
            return f"`{function.text}(…)`"
        case ListValue():
            return "a list"
        case Record():
            return "a record"
        case ValueChoice():
            return "a choice"


def lines_of(key: str, value: Value, indent: str) -> Sequence[str]:
    """`key: value`, in several lines where a list or a record is too long for one."""
    whole = f"{indent}{key}: {written(value)}"
    if len(whole) <= _WIDTH:
        return [whole]
    match value:
        case ListValue(items=[_, *_] as items):
            inner = [line for i in items for line in _item(i, indent + _STEP)]
            return [f"{indent}{key}: [", *inner, f"{indent}]"]
        case Record(pairs=[_, *_] as pairs) if all(isinstance(p.value, Number) for p in pairs):
            inner = [indent + _STEP + line for line in _filled(map(_labelled, pairs))]
            return [f"{indent}{key}: {{", *inner, f"{indent}}}"]
        case Record(pairs=[_, *_] as pairs):
            inner = [line for p in pairs for line in lines_of(p.key.text, p.value, indent + _STEP)]
            return [f"{indent}{key}: {{", *inner, f"{indent}}}"]
    return [whole]


def _filled(items: Iterable[str]) -> list[str]:
    """Many short items, as many in a line as fit."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) > _WIDTH - 2 * len(_STEP):
            lines.append("")
        lines[-1] += f", {item}" if lines[-1] else item
    return lines


def _item(value: Value, indent: str) -> Sequence[str]:
    """An item of a list, in several lines where it is a record that is too long for one."""
    whole = f"{indent}{written(value)},"
    if len(whole) <= _WIDTH or not isinstance(value, Record):
        return [whole]
    inner = [line for p in value.pairs for line in lines_of(p.key.text, p.value, indent + _STEP)]
    return [f"{indent}{{", *inner, f"{indent}}},"]
