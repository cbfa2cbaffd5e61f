"""Templates over rows, in a sandbox with limits: a spec is untrusted text."""

from __future__ import annotations

import re
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, Undefined, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from compiler.templates import REFUSED_FILTERS
from runtime.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MOST_CHARACTERS = 1_000_000  # of one value
MOST_SECONDS = 2.0  # for one row

_PADDING = {"center", "ljust", "rjust", "zfill", "expandtabs"}


class TooMuchError(SecurityError):
    """A template would make more than it may."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, in which nothing grows without bound."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        if operator == "**" and isinstance(right, int) and abs(right) > 100:  # noqa: PLR2004
            raise TooMuchError("a power above 100")
        if operator == "*":
            _bound(_size(left) * right if isinstance(right, int) else left * _size(right))
        if operator == "%" and isinstance(left, str):
            _bound(max((int(n) for n in re.findall(r"\d+", left)), default=0))
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, N805, PYI063
        name, text = getattr(__obj, "__name__", ""), getattr(__obj, "__self__", None)
        if isinstance(text, str | bytes):
            if name in _PADDING:
                _bound(max((a for a in args if isinstance(a, int)), default=0))
            if name == "replace" and len(args) > 1:
                _bound((len(text) + 1) * len(args[1]))
        return super().call(__context, __obj, *args, **kwargs)


def _size(value: object) -> int:
    return len(value) if isinstance(value, str | bytes | list | tuple) else 0


def _bound(size: object) -> None:
    if isinstance(size, int) and size > MOST_CHARACTERS:
        raise TooMuchError(f"more than {MOST_CHARACTERS:,} characters")


def _prefixed(items: list[str], prefix: str) -> list[str]:
    """`{{ endings | prefixed(ctx ~ ' ') }}`: each item with the prefix in front."""
    return [f"{prefix}{item}" for item in items]


def _environment() -> _Sandbox:
    environment = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.filters["prefixed"] = _prefixed
    replace = environment.filters["replace"]

    def bounded_replace(context: Any, text: str, old: str, new: str, count: int | None = None) -> str:  # noqa: ANN401
        _bound((len(str(text)) + 1) * len(str(new)))
        return str(replace(context, text, old, new, count))

    bounded_replace.jinja_pass_arg = replace.jinja_pass_arg  # type: ignore[attr-defined]
    environment.filters["replace"] = bounded_replace
    for name in REFUSED_FILTERS:
        del environment.filters[name]
    return environment


class Templates:
    """The templates of one data set, compiled once."""

    def __init__(self, fields: tuple[tuple[str, str | tuple[str, ...]], ...]) -> None:
        self._environment = _environment()
        self._fields = [(name, self._compile(name, template)) for name, template in fields]

    def values(self, row: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
        """The value of each field for one row.

        Raises BadInput, with the field, for a missing column or a template that goes too far.
        """
        scope = {**extra, **row, "row": row}
        with _time_limit():
            return {name: self._value(name, render, scope, row) for name, render in self._fields}

    def _value(self, name: str, render: Callable[..., Any], scope: Mapping[str, Any], row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        try:
            return render(scope)
        except UndefinedError as error:
            columns = ", ".join(f"`{c}`" for c in row)
            message = f"the template of `{name}` asks for what the row lacks: {error.message}"
            raise BadInput(message, f"the columns are {columns}", f"input.{name}") from error
        except TooMuchError as error:
            raise BadInput(f"the template of `{name}` goes too far: {error}", None, f"input.{name}") from error
        except SecurityError as error:
            message = f"the template of `{name}` does what a template may not: {error}"
            raise BadInput(message, None, f"input.{name}") from error
        except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
            raise BadInput(f"the template of `{name}` fails: {error}", None, f"input.{name}") from error

    def _compile(self, name: str, template: str | tuple[str, ...]) -> Callable[[Mapping[str, Any]], Any]:
        if isinstance(template, tuple):
            parts = [self._compile(name, t) for t in template]
            return lambda scope: [part(scope) for part in parts]
        if (expression := _single_expression(self._environment, template)) is not None:
            compiled = self._environment.compile_expression(expression, undefined_to_none=False)
            return lambda scope: _defined(compiled(**scope))
        text = self._environment.from_string(template)
        return lambda scope: _short(text.render(**scope))


def _single_expression(environment: _Sandbox, template: str) -> str | None:
    """What stands between `{{` and `}}` when that is the whole template: its value keeps its type."""
    body = environment.parse(template).body
    match body:
        case [nodes.Output(nodes=[node])] if not isinstance(node, nodes.TemplateData):
            match = re.fullmatch(r"\{\{[-+]?(.*?)[-+]?\}\}", template, re.DOTALL)
            return match[1] if match else None
    return None


def _defined(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Undefined):
        str(value)  # raises UndefinedError
    return _short(value) if isinstance(value, str) else value


def _short(text: str) -> str:
    _bound(len(text))
    return text


@contextmanager
def _time_limit() -> Iterator[None]:
    """Stop a template that does not end; only a main thread can be stopped this way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _too_long(_signal: int, _frame: object) -> None:
    raise TooMuchError(f"more than {MOST_SECONDS:g} seconds for one row")
