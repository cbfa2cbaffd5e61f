"""Templates as the compiler sees them: read, never run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from compiler import codes
from compiler.suggest import did_you_mean

if TYPE_CHECKING:
    from jinja2 import Environment

    from compiler.bag import Bag
    from dsl.source import Span

ADDED_FILTERS = ("prefixed",)
REFUSED_FILTERS = ("center", "indent", "wordwrap", "xmlattr", "urlize")  # they make much of little


@cache
def _environment() -> Environment:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(autoescape=False)
    environment.filters.update(dict.fromkeys(ADDED_FILTERS, str))
    for name in REFUSED_FILTERS:
        del environment.filters[name]
    return environment


def check_template(text: str, span: Span, bag: Bag) -> None:
    """Report a template that Jinja2 cannot read, or that wants to read other files."""
    from jinja2 import TemplateSyntaxError, nodes

    if "{" not in text:
        return
    try:
        tree = _environment().parse(text)
    except RecursionError:
        bag.error(codes.BAD_TEMPLATE, span, "this template is nested too deep")
        return
    except TemplateSyntaxError as error:
        message = (error.message or "it cannot be read").rstrip(".")
        bag.error(codes.BAD_TEMPLATE, span, f"this is no template: {message[0].lower()}{message[1:]}")
        return
    for reading in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        word = type(reading).__name__.lower()
        bag.error(codes.BAD_TEMPLATE, span, f"a template reads no other files: `{word}`")
    for used in tree.find_all(nodes.Filter):
        if used.name not in _environment().filters:
            hint = did_you_mean(used.name, _environment().filters)
            bag.error(codes.BAD_TEMPLATE, span, f"templates have no filter `{used.name}`", hint)
    for test in tree.find_all(nodes.Test):
        if test.name not in _environment().tests:
            hint = did_you_mean(test.name, _environment().tests)
            bag.error(codes.BAD_TEMPLATE, span, f"templates have no test `is {test.name}`", hint)
