"""What stands between two tokens: comments, and where the author began a new line."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace


class Comment(Struct, frozen=True):
    """`# …` without the space after it; on a line of its own or behind a token."""

    text: str
    alone: bool
    after_blank: bool


class Gap(Struct, frozen=True):
    """The comments before a token, whether it begins a line, and whether a blank line stands right before it."""

    comments: tuple[Comment, ...]
    newline: bool
    blank: bool

    def then(self, other: Gap) -> Gap:
        """This gap and the next, when the token between them goes."""
        later = tuple(replace(c, alone=c.alone or bool(self.comments)) for c in other.comments)
        return Gap(self.comments + later, self.newline or other.newline, other.blank)

    def uncommented(self) -> Gap:
        """The same without its comments."""
        return Gap((), self.newline, self.blank)


def gap(text: str) -> Gap:
    """The gap that `text`, white space and comments, amounts to."""
    first, *rest = (line.strip() for line in text.split("\n"))
    comments, blank = [Comment(first, alone=False, after_blank=False)] if first else [], False
    for line in rest[:-1]:
        if line:
            comments.append(Comment(line, alone=True, after_blank=blank))
        blank = not line
    return Gap(tuple(comments), bool(rest), blank)
