"""Templates over rows, in a sandbox with limits: a spec is untrusted text.

What a template may do is listed, not what it may not. Each text or list that it makes is measured as it is made
(`_Sandbox.made`), so that memory is bounded in every thread; time is bounded in the main thread alone.
"""

from __future__ import annotations

import re
import signal
import threading
from contextlib import contextmanager
from datetime import date, time, timedelta
from functools import wraps
from itertools import islice
from numbers import Number
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, Undefined, UndefinedError, nodes, pass_context, pass_environment
from jinja2.compiler import CodeGenerator
from jinja2.exceptions import SecurityError
from jinja2.filters import make_attrgetter
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from compiler.templates import restrict, too_deep
from runtime.errors import BadInput
from runtime.lacking import Named, columns_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jinja2.compiler import Frame

FILTER = "filter"  # what the template of a filter is called
_KEYS = (FILTER, "cluster")  # templates of a declaration itself; the others are fields of `input:`
MOST_CHARACTERS = 1_000_000  # of one value
MOST_MADE = 50_000_000  # characters of all that is made for one row, on the way to its values
MOST_BITS = 13_000  # of a whole number: some 4,000 digits, as many as Python writes out
MOST_SECONDS = 2.0  # for one row

_PLAIN = (str, Number, date, time, timedelta)
_TEXT_METHODS = (
    *("strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "casefold", "swapcase", "split", "rsplit"),
    *("splitlines", "partition", "rpartition", "replace", "removeprefix", "removesuffix", "startswith", "endswith"),
    *("find", "rfind", "index", "rindex", "count", "join", "isdigit", "isalpha", "isalnum", "isspace", "isdecimal"),
    *("isnumeric", "isupper", "islower", "istitle", "isascii"),
)
_METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (str, frozenset(_TEXT_METHODS)),
    (list, frozenset({"index", "count"})),
    (tuple, frozenset({"index", "count"})),
    (dict, frozenset({"get", "keys", "values", "items"})),
    (LoopContext, frozenset({"cycle", "changed"})),
)
_TEXT_FILTERS = (
    *("capitalize", "e", "escape", "forceescape", "lower", "replace", "string", "striptags", "title", "trim"),
    *("truncate", "upper", "urlencode", "wordcount"),
)


class TooMuchError(SecurityError):
    """A template would make more than it may."""


class NullError(SecurityError):
    """A template would write a null as text."""


_FAILURES = (
    *(TemplateError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError, SyntaxError),
    *(RecursionError, MemoryError),
)
_SAYINGS: tuple[tuple[type[Exception], str, str | None], ...] = (
    (TooMuchError, "goes too far", None),
    (NullError, "makes a text of a null", "`{{ column or '' }}` writes nothing for a null"),
    (SecurityError, "does what a template may not", None),
    (Exception, "fails", None),
)


class _Generator(CodeGenerator):
    """Jinja2's compiler, in whose code texts and lists are measured when they are put together."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self.write("environment.joined('', (")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        self._measured(super().visit_List, node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        self._measured(super().visit_Dict, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        if node.ctx == "load":
            self._measured(super().visit_Tuple, node, frame)
        else:
            super().visit_Tuple(node, frame)

    def visit_ScopedEvalContextModifier(self, node: nodes.ScopedEvalContextModifier, frame: Frame) -> None:  # noqa: ARG002, N802
        raise SecurityError("templates have no `autoescape`")

    def _measured(self, visit: Callable[[Any, Frame], None], node: nodes.Node, frame: Frame) -> None:
        self.write("environment.made(")
        visit(node, frame)
        self.write(")")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, in which nothing grows without bound and nothing differs from run to run."""

    code_generator_class = _Generator
    intercepted_binops = frozenset({"+", "-", "*", "**", "%"})
    left = MOST_MADE  # characters that may still be made for this row

    def made(self, value: Any) -> Any:  # noqa: ANN401
        """The value, which a template has just made."""
        self.left -= _measured(value)
        if self.left < 0:
            raise TooMuchError(f"more than {MOST_MADE:,} characters on the way")
        return value

    def text(self, value: object) -> str:
        """The value as text, if it is one that reads the same in every run."""
        if value is None:
            raise NullError("a null has no text")
        return str(self.made(_plain(value)))

    def joined(self, separator: object, items: Iterable[object]) -> str:
        """The items as one text."""
        texts = [self.text(item) for item in items]
        _bound(sum(map(len, texts)) + len(str(separator)) * len(texts))
        return str(self.made(str(separator).join(texts)))

    def concat(self, parts: Iterable[str]) -> str:
        """What was written out, as one text."""
        texts, size = [], 0
        for part in parts:
            size += len(part)
            _bound(size)
            texts.append(part)
        return "".join(texts)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        if operator == "**":
            _bound_power(left, right)
        if operator == "*":
            _bound_repeat(left, right)
        if operator == "%" and isinstance(left, str | bytes):
            raise SecurityError("`%` on a text; `~` puts texts together")
        value = self.made(super().call_binop(context, operator, left, right))
        if isinstance(value, set):
            raise SecurityError(f"`{operator}` gives a set, whose order differs from run to run")
        return value

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, N805, PYI063
        name, text = getattr(__obj, "__name__", ""), getattr(__obj, "__self__", None)
        if isinstance(text, str) and name == "replace" and len(args) > 1:
            _bound_replace(text, args[1])
        if isinstance(text, str) and name == "join" and len(args) == 1:
            args = (_items(args[0]),)
            _bound(_measured(args[0]) + len(text) * len(args[0]))
        return __self.made(super().call(__context, __obj, *args, **kwargs))

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401
        """`{{ obj.attribute }}`, in a named source a column."""
        if isinstance(obj, Named) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401
        if callable(value) and not any(isinstance(obj, kind) and attr in names for kind, names in _METHODS):
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:  # noqa: ANN401
        """None: `format` is no method of a template."""


def _measured(value: object) -> int:
    """About how many characters a value would be written in; raises TooMuchError for too many."""
    size, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, int) and item.bit_length() > MOST_BITS:
            raise TooMuchError(f"a number of more than {MOST_BITS:,} bits")
        size += len(item) if isinstance(item, str | bytes | list | tuple | dict) else 1
        _bound(size)
        waiting += _parts(item)
    return size


def _plain(value: Any) -> Any:  # noqa: ANN401
    """The value, if it is made of texts, numbers and nulls alone; another might print where it lies in memory."""
    waiting = [value]
    _measured(value)
    while waiting:
        item = waiting.pop()
        if isinstance(item, Undefined):
            str(item)  # raises UndefinedError
        if not (item is None or isinstance(item, (*_PLAIN, list, tuple, dict))):
            raise SecurityError(f"a {type(item).__name__} is no text, number, list or dict")
        if isinstance(item, str):
            item.encode()  # raises ValueError for half of a surrogate pair
        waiting += _parts(item)
    return value


def _parts(value: object) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return list(value) if isinstance(value, list | tuple) else []


def _items(values: Iterable[object]) -> list[object]:
    """The items of what may be a generator."""
    items = list(islice(values, MOST_CHARACTERS + 1))
    _bound(len(items))
    return items


def _bound(size: int) -> None:
    if size > MOST_CHARACTERS:
        raise TooMuchError(f"more than {MOST_CHARACTERS:,} characters")


def _bound_power(left: object, right: object) -> None:
    if isinstance(right, int) and abs(right) > 100:  # noqa: PLR2004
        raise TooMuchError("a power above 100")
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > MOST_BITS:
        raise TooMuchError(f"a number of more than {MOST_BITS:,} bits")


def _bound_repeat(left: object, right: object) -> None:
    for value, times in ((left, right), (right, left)):
        if isinstance(value, str | bytes | list | tuple) and isinstance(times, int):
            _bound(_measured(value) * times)


def _bound_replace(text: object, new: object) -> None:
    _bound((len(str(text)) + 1) * len(str(new)))


def _prefixed(environment: _Sandbox, items: Iterable[object], prefix: object) -> list[str]:
    """`{{ endings | prefixed(ctx ~ ' ') }}`: each item with the prefix in front."""
    return [environment.joined("", (prefix, item)) for item in items]


def _recoded(value: object, codes: Mapping[object, object]) -> object:
    """`{{ tags | recoded({7: 0, 8: 0}) }}`: the value, or each item of a list, as `codes` has it; others stay."""
    if not isinstance(codes, dict):
        raise TypeError("`recoded` takes a record of values, such as {7: 0}")
    items = value if isinstance(value, list | tuple) else None
    return [codes.get(item, item) for item in items] if items is not None else codes.get(value, value)


def _join(environment: _Sandbox, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    """Jinja2's `join`, of what reads the same in every run."""
    if attribute is not None:
        value = map(make_attrgetter(environment, attribute), value)
    return environment.joined(d, value)


def _check_filter(name: str, value: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Refuse what would take long inside one call, where no alarm is heard."""
    if name == "replace" and (args[1:] or "new" in kwargs):
        _bound_replace(value, args[1] if args[1:] else kwargs["new"])
    if name == "round" and abs(int(kwargs.get("precision", args[0] if args else 0))) > 100:  # noqa: PLR2004
        raise TooMuchError("a precision above 100")
    if name == "sum" and not isinstance(kwargs.get("start", args[1] if args[1:] else 0), Number):
        raise SecurityError("`sum` of what is no number")


def _measuring(environment: _Sandbox, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that measures what it gives, and writes no object as text."""
    before = 0 if getattr(function, "jinja_pass_arg", None) is None else 1  # arguments from Jinja2

    @wraps(function)
    def measured(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        value, given = args[before], args[before + 1 :]
        if name in _TEXT_FILTERS:
            environment.text(value)
        _check_filter(name, value, given, kwargs)
        return environment.made(function(*args, **kwargs))

    return measured


@pass_context
def _written(context: Any, value: Any) -> Any:  # noqa: ANN401
    """A value that a template writes out. With a context, so that Jinja2 computes no output when it compiles."""
    return context.environment.text(value)


def _environment() -> _Sandbox:
    environment = _Sandbox(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, optimized=False, finalize=_written
    )
    restrict(environment)
    environment.filters |= {"prefixed": pass_environment(_prefixed), "recoded": _recoded}
    environment.filters["join"] = pass_environment(_join)
    environment.filters = {name: _measuring(environment, name, f) for name, f in environment.filters.items()}
    return environment


class Templates:
    """The templates of one data set, compiled once."""

    def __init__(self, fields: tuple[tuple[str, str | tuple[str, ...]], ...]) -> None:
        self._environment = _environment()
        self._fields = [(name, self._compiled(name, template)) for name, template in fields]

    def values(self, row: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
        """The value of each field for one row.

        Raises BadInput, with the field, for a missing column or a template that goes too far.
        """
        scope = {**extra, **row, "row": row}
        self._environment.left = MOST_MADE
        values, name = {}, ""
        with _refusals(lambda: name, row), _time_limit():
            for name, render in self._fields:
                values[name] = _plain(render(scope))
        return values

    def _compiled(self, name: str, template: str | tuple[str, ...]) -> Callable[[Mapping[str, Any]], Any]:
        with _refusals(lambda: name, {}), _time_limit():
            return self._compile(template)

    def _compile(self, template: str | tuple[str, ...]) -> Callable[[Mapping[str, Any]], Any]:
        if isinstance(template, tuple):
            parts = [self._compile(t) for t in template]
            return lambda scope: [part(scope) for part in parts]
        if (expression := _single_expression(self._environment, template)) is not None:
            return self._environment.compile_expression(expression, undefined_to_none=False)
        return self._environment.from_string(template).render


def _single_expression(environment: _Sandbox, template: str) -> str | None:
    """What stands between `{{` and `}}` when that is the whole template: its value keeps its type."""
    tree = environment.parse(template)
    if too_deep(tree):
        raise TooMuchError("it is nested too deep")
    match tree.body:
        case [nodes.Output(nodes=[node])] if not isinstance(node, nodes.TemplateData):
            match = re.fullmatch(r"\{\{[-+]?(.*?)[-+]?\}\}", template, re.DOTALL)
            return match[1] if match else None
    return None


@contextmanager
def _refusals(field: Callable[[], str], row: Mapping[str, Any]) -> Iterator[None]:
    """Make BadInput, with the field, of what goes wrong in a template."""
    try:
        yield
    except UndefinedError as error:
        lacks = re.sub("'([^']*)'", r"`\1`", error.message or "")
        message = f"the template of `{field()}` asks for what the row lacks: {lacks}"
        raise BadInput(message, columns_hint(row, lacks), _place(field())) from error
    except _FAILURES as error:
        says, hint = next((s, h) for kind, s, h in _SAYINGS if isinstance(error, kind))
        raise BadInput(f"the template of `{field()}` {says}: {_what(error)}", hint, _place(field())) from error


def _place(field: str) -> str:
    """The part of a spec that a template stands in."""
    return field if field in _KEYS else f"input.{field}"


def _what(error: BaseException) -> str:
    return str(error) or type(error).__name__


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
