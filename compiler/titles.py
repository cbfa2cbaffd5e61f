"""What a stage is called: in labels of nodes, and in the tree that `plan` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compiler.settle import Settings, Settled, Stage


def called(stage: Stage) -> str:
    """The stage with those of its settings that are one of a choice: what tells two trainings of it apart."""
    if len(stage.parts) == 1:
        (part,) = stage.parts
        return _with_chosen(title_of(stage), {**stage.settings, **part.settings})
    parts = " + ".join(_with_chosen(_part_title(p), p.settings) for p in stage.parts)
    whole = _with_chosen(f"({parts})", stage.settings)
    return whole if whole != f"({parts})" else parts


def _with_chosen(title: str, settings: Settings) -> str:
    chosen = [f"{s.key}: {s.chosen}" for slot, s in settings.items() if s.chosen and slot != "seed"]
    return f"{title}({', '.join(chosen)})" if chosen else title


def called_as_data(part: Settled) -> str:
    """A part by what it reads: with those of its settings that say so and are one of a choice."""
    return _with_chosen(_part_title(part), {k: s for k, s in part.settings.items() if k in ("limit", "max-length")})


def title_of(stage: Stage) -> str:
    """The tasks of a stage, with languages where they are not the source alone."""
    return " + ".join(map(_part_title, stage.parts))


def stage_names(stages: Sequence[Stage]) -> list[str]:
    """What the stages are called as values of the axis `after`: by their tasks, the second of one name with `(2)`."""
    titles = [title_of(stage) for stage in stages]
    numbers = [titles[:at].count(title) + 1 for at, title in enumerate(titles)]
    return [title if number == 1 else f"{title} ({number})" for title, number in zip(titles, numbers, strict=True)]


def _part_title(part: Settled) -> str:
    if part.languages == (part.task.source_language,):
        return part.task.name
    return f"{part.task.name}[{', '.join(part.languages)}]"
