"""Texts as templates give them, and how they become token ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime.kinds.kind import Coding


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


def room_of(coding: Coding, *, is_pair: bool = False) -> int:
    """How many tokens a sequence has room for beside the special ones."""
    return coding.max_length - int(coding.tokenizer.num_special_tokens_to_add(is_pair=is_pair))


def unknown_token(tokenizer: Any) -> str | None:  # noqa: ANN401
    """What stands for a text that the tokenizer does not know, if it has something for that."""
    return next((token for token in ("<unk>", "[UNK]") if tokenizer.token_to_id(token) is not None), None)


def pair_of(values: Mapping[str, Any], coding: Coding) -> tuple[Any, bool]:
    """The encoding of `text`, and of `pair` where it is given, as one sequence; and whether something was cut off.

    What is too long loses the ends of its texts, first of the longer one.
    """
    tokenizer = coding.tokenizer
    first = tokenizer.encode(text_of(values, "text"), add_special_tokens=False)
    second = tokenizer.encode(text_of(values, "pair"), add_special_tokens=False) if "pair" in values else None
    room = room_of(coding, is_pair=second is not None)
    ends = longest_first(len(first), 0 if second is None else len(second), room)
    cut = len(first) + len(second or ()) > room
    first.truncate(ends[0])
    if second is not None:
        second.truncate(ends[1])
    return tokenizer.post_process(first, second, add_special_tokens=True), cut


def longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens of two texts are kept, as by `longest_first` of transformers.

    The longer one gives until both are equal, then both give; where the room is odd, the longer one keeps one more, or
    the second of equal ones.
    """
    if first + second <= room:
        return first, second
    short, long = sorted((first, second))
    long = max(short, room - short) if short <= room else short
    if short + long > room:
        short, long = room // 2, room - room // 2
    return (short, long) if first <= second else (long, short)


def text_encoding(values: Mapping[str, Any], name: str, coding: Coding) -> tuple[Any, bool]:
    """The encoding of one field as a sequence, and whether it was cut off; what is too long loses its end."""
    tokenizer = coding.tokenizer
    encoding = tokenizer.encode(text_of(values, name), add_special_tokens=False)
    room = room_of(coding)
    cut = len(encoding) > room
    encoding.truncate(room)
    return tokenizer.post_process(encoding, None, add_special_tokens=True), cut
