"""The arguments of a call such as `files(…)`, read one by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from compiler import codes
from compiler.suggest import did_you_mean
from compiler.writing import describe
from dsl.syntax import Number, String, Word

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.catalog import Interval
    from dsl.source import Span
    from dsl.syntax import Argument, Call, Value


class Arguments:
    """Those of one call; what stays unread is an error."""

    def __init__(self, call: Call, bag: Bag) -> None:
        self.call, self.bag, self.failed = call, bag, False
        self.positional = [a for a in call.arguments if a.name is None]
        self.named: dict[str, Argument] = {}
        for argument in call.arguments:
            if argument.name is not None:
                if argument.name.text in self.named:
                    self.error(codes.SET_TWICE, argument.span, f"`{argument.name.text}` stands twice")
                self.named[argument.name.text] = argument
        self.known: list[str] = []

    def error(self, code: str, span: Span, message: str, hint: str | None = None) -> None:
        """Report, and remember that the call is wrong."""
        self.failed = True
        self.bag.error(code, span, message, hint)

    def first(self, what: str) -> Value | None:
        """The one positional argument."""
        if len(self.positional) == 1:
            return self.positional[0].value
        name = self.call.function.text
        self.error(codes.WRONG_VALUE, self.call.span, f"`{name}(…)` takes {what} and has {len(self.positional)}")
        return None

    def text(self, key: str | None, what: str, default: str | None = None) -> str | None:
        """A string, named or the positional one."""
        value = self.first(what) if key is None else self._named(key)
        match value:
            case None:
                return default
            case String(value=text):
                return text
            case Word(text=text) if key != "config":
                return text
        self.error(codes.WRONG_VALUE, value.span, f"{key or self.call.function.text} is {describe(value)}, not {what}")
        return default

    def commit(self, key: str) -> str | None:
        """A full commit hash, or a reference of the hub such as `refs/convert/parquet`, whose commit the lock pins."""
        value = self.named[key].value if key in self.named else None
        text = self.text(key, "a commit hash in quotes")
        if text is not None and value is not None and not re.fullmatch(r"[0-9a-f]{40}|refs/[\w./-]+", text):
            message = f"`{key}` is `{text}` but must be a commit hash of 40 hexadecimal digits, or begin with `refs/`"
            self.error(codes.WRONG_VALUE, value.span, message, "the hub shows it under `History`; or leave it out")
        return text

    def number(self, key: str, default: int | None, low: int = 1) -> int:
        """A whole number from `low`; an error if there is neither a value nor a default."""
        match self._named(key):
            case None if default is not None:
                return default
            case Number(value=int() as number, unit=unit) if unit in ("", "k", "M") and number >= low:
                return number
            case None:
                self.error(codes.MISSING_KEY, self.call.span, f"`{self.call.function.text}(…)` needs `{key}`")
            case value:
                message = f"`{key}` is {describe(value)} but must be a whole number from {low}"
                self.error(codes.WRONG_VALUE, value.span, message)
        return low

    def real(self, key: str, default: float, values: Interval) -> float:
        """A number, whole or not."""
        match self._named(key):
            case None:
                return default
            case Number(value=number, unit=unit) if unit in ("", "%") and number in values:
                return float(number) + 0.0  # -0 is 0: equal values are one key
            case value:
                message = f"`{key}` is {describe(value)} but must be a number {values}"
                self.error(codes.WRONG_VALUE, value.span, message)
        return default

    def value(self, key: str) -> Value | None:
        """Whatever stands at `key`."""
        return self._named(key)

    def _named(self, key: str) -> Value | None:
        self.known.append(key)
        argument = self.named.pop(key, None)
        return argument.value if argument is not None else None

    def refuse(self, key: str, owner: str, hint: str) -> None:
        """If there is a `key`, the error that `owner` has none."""
        argument = self.named.pop(key, None)
        if argument is not None:
            span = argument.name.span if argument.name else argument.span
            self.error(codes.UNKNOWN_KEY, span, f"{owner} has no `{key}`", hint)

    def done(self) -> bool:
        """Whether all was right; arguments nobody asked for are reported."""
        for key in tuple(self.named):
            self.refuse(key, f"`{self.call.function.text}(…)`", did_you_mean(key, self.known))
        return not self.failed
