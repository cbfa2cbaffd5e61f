"""Texts as templates give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping


def text_of(values: Mapping[str, Any], name: str) -> str:
    """The field as a text; a number is written out.

    Raises BadInput for a null, and for a list or a record: one of its parts was meant, or all of them joined.
    """
    match values[name]:
        case None:
            raise BadInput(f"`{name}` is null", "each row must have a text", f"input.{name}")
        case list() | tuple() as value:
            hint = "put its items together: `{{ words | join(' ') }}`"
            raise BadInput(f"`{name}` is a list, {value!r:.40}, and no text", hint, f"input.{name}")
        case dict() as value:
            columns = ", ".join(f"`{column}`" for column in value)
            raise BadInput(f"`{name}` is a record and no text", f"name a part of it: {columns}", f"input.{name}")
        case value:
            return str(value)
