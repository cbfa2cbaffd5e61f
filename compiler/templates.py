"""Templates as the compiler sees them: read, never run."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from compiler import codes
from compiler.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Environment, nodes

    from compiler.bag import Bag
    from dsl.source import Span

ADDED_FILTERS = ("prefixed", "recoded")
# Not here: what makes much of little, what differs from run to run (`random`), what writes objects as Python does.
FILTERS = (
    *("abs", "attr", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "filesizeformat", "first"),
    *(
        "float",
        "forceescape",
        "groupby",
        "int",
        "items",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
    ),
    *("reject", "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr", "sort", "string"),
    *("striptags", "sum", "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount"),
)
GLOBALS = ("range", "dict", "namespace")
GIVEN = ("language", "code", "split", "row", "first", "second")  # what a template knows besides the columns
_EXPRESSIONS, _QUOTED = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL), re.compile(r"'[^']*'|\"[^\"]*\"")
_HYPHENATED = re.compile(r"(?<![\w.\])-])[A-Za-z_]\w*(?:-[A-Za-z_]\w*)+(?![\w(.\[])")
MOST_DEPTH = 100  # of a template's tree; Python's own limits lie above it


def restrict(environment: Environment) -> None:
    """Leave an environment the filters and global names that a template may use."""
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.globals = {name: environment.globals[name] for name in GLOBALS}


def too_deep(tree: nodes.Node) -> bool:
    """Whether a template is nested deeper than MOST_DEPTH."""
    level: Iterable[nodes.Node] = [tree]
    for _ in range(MOST_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return False
    return True


@cache
def _environment() -> Environment:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(autoescape=False)
    restrict(environment)
    environment.filters.update(dict.fromkeys(ADDED_FILTERS, str))
    return environment


def check_template(text: str, span: Span, bag: Bag, sources: tuple[str, ...] = ()) -> bool:
    """Whether a template can be used over rows of these sources; what is wrong with it is in the bag.

    Where sources have names, a column is that of a source: `{{ a.text }}`.
    """
    if "{" not in text:
        return True
    tree = _parsed(text, span, bag)
    if tree is None:
        return False
    _check_statements(tree, span, bag)
    _check_names(tree, span, bag)
    _check_hyphens(text, span, bag)
    wrong = bare_names(text, sources)
    for name in wrong:
        known = " or ".join(f"`{{{{ {s}.{name} }}}}`" for s in sources)
        message = f"the sources have names, and `{name}` is none of them"
        bag.error(codes.BAD_TEMPLATE, span, message, f"a column is one of a source: {known}")
    return not wrong


def bare_names(text: str, sources: tuple[str, ...]) -> tuple[str, ...]:
    """What a template calls by a name that is no source, where sources have names."""
    from jinja2 import TemplateError

    try:
        used = names_in(text) if sources else set()
    except (TemplateError, RecursionError, ValueError):  # reported where the template stands, or when rows are read
        return ()
    return tuple(sorted(used - {*sources, *GIVEN, *GLOBALS}))


def names_in(text: str) -> set[str]:
    """The names that a template asks its row for. Raises what Jinja2 does for a text that is no template."""
    from jinja2.meta import find_undeclared_variables

    return find_undeclared_variables(_environment().parse(text))


def may_name(name: str) -> bool:
    """Whether templates can call a source so, and mean nothing else by it."""
    from jinja2 import TemplateError

    if not name.isidentifier() or name in (*GIVEN, *GLOBALS):
        return False
    try:
        return names_in(f"{{{{ {name}.column }}}}") == {name}
    except TemplateError:
        return False


def is_expression(text: str) -> bool:
    """Whether a template that can be read is one single expression, `{{ … }}`, whose value keeps its type."""
    from jinja2 import TemplateError, nodes

    try:
        body = _environment().parse(text).body
    except (TemplateError, RecursionError, ValueError):
        return False
    match body:
        case [nodes.Output(nodes=[node])]:
            return not isinstance(node, nodes.TemplateData)
    return False


def _parsed(text: str, span: Span, bag: Bag) -> nodes.Template | None:
    from jinja2 import TemplateSyntaxError

    try:
        tree = _environment().parse(text)
    except RecursionError:
        bag.error(codes.BAD_TEMPLATE, span, "this template is nested too deep")
    except TemplateSyntaxError as error:
        message = (error.message or "it cannot be read").rstrip(".")
        bag.error(codes.BAD_TEMPLATE, span, f"this is no template: {message[0].lower()}{message[1:]}")
    except ValueError as error:  # a number of too many digits
        bag.error(codes.BAD_TEMPLATE, span, f"this is no template: {error}")
    else:
        if not too_deep(tree):
            return tree
        bag.error(codes.BAD_TEMPLATE, span, "this template is nested too deep")
    return None


def _check_statements(tree: nodes.Template, span: Span, bag: Bag) -> None:
    from jinja2 import nodes

    for reading in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        word = type(reading).__name__.lower()
        bag.error(codes.BAD_TEMPLATE, span, f"a template reads no other files: `{word}`")
    for _ in tree.find_all(nodes.ScopedEvalContextModifier):
        bag.error(codes.BAD_TEMPLATE, span, "templates have no `autoescape`")


def _check_hyphens(text: str, span: Span, bag: Bag) -> None:
    """Report a column whose name has a hyphen, which a template reads as a difference; spaces say that one is meant."""
    for expression in _EXPRESSIONS.findall(text):
        if (name := _HYPHENATED.search(_QUOTED.sub("", expression))) is not None:
            message = f"`{name[0]}` is the difference of two columns in a template"
            hint = f"a column with a hyphen is `row['{name[0]}']`; a difference is written with spaces"
            bag.error(codes.BAD_TEMPLATE, span, message, hint)


def _check_names(tree: nodes.Template, span: Span, bag: Bag) -> None:
    from jinja2 import nodes

    for used in tree.find_all(nodes.Filter):
        if used.name not in _environment().filters:
            hint = did_you_mean(used.name, _environment().filters)
            bag.error(codes.BAD_TEMPLATE, span, f"templates have no filter `{used.name}`", hint)
    for test in tree.find_all(nodes.Test):
        if test.name not in _environment().tests:
            hint = did_you_mean(test.name, _environment().tests)
            bag.error(codes.BAD_TEMPLATE, span, f"templates have no test `is {test.name}`", hint)
