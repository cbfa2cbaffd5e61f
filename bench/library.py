"""docs/library.md: all that the library declares, as tables.

python -m bench.library docs/library.md    (`make library`)
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.bag import Bag
from compiler.declarations import Declarations
from compiler.facts import MEAN
from compiler.listing import ModelRow, TaskRow, models, tasks
from compiler.pipeline import LIBRARY, library, library_alone
from compiler.places import Places
from compiler.sources import HubData, Repository
from compiler.writing import written
from dsl.syntax import Declaration, Group, Let, Suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from compiler.declare import ModelDecl, TaskDecl
    from compiler.facts import Published

HEAD = """\
# The library

What every spec sees without a `use`: the models, tasks, benchmarks, groups and suites of `specs/std/`, written in the
language itself. This page is generated (`make library`); `xfer show NAME` prints one declaration with all that it
inherits, and `xfer list` what there is. The embedded world has a page of [its own](world.md).

The project loaded nothing of this from the hub: ids, columns, labels and counts are those of published code and files,
and each fixture in `tests/library/fixtures` says of which. What nobody has seen is *unverified*, here and in
`xfer plan`. Rows are those of each split in one language. To read an entry from files of your own, inherit from it:
`benchmark xcopa : xcopa { data: files("…") }`.
"""


class Page:
    """The declarations, read."""

    def __init__(self) -> None:
        self.names, self.bag = library_alone(), Bag()
        self.declarations = Declarations(self.names, Places(LIBRARY), self.bag)

    def lines(self) -> Iterator[str]:
        """The page."""
        yield HEAD
        yield from self._models()
        rows = [r for r in tasks(self.names, self.bag) if not r.name.startswith("w-")]
        for word, title in (("task", "Tasks"), ("benchmark", "Benchmarks")):
            yield from self._tasks(title, [r for r in rows if r.word == word])
        yield from self._others()
        yield from self._published(rows)

    def _models(self) -> Iterator[str]:
        yield "## Models\n"
        yield "| name | weights | layers × width | parameters | vectors | licence | citation | unverified |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
        for row in models(self.names, self.bag):
            found = self.declarations.model(_declaration(row.name))
            if found is not None and isinstance(found.weights, Repository):
                yield _model_line(row, found)
        yield ""

    def _tasks(self, title: str, rows: Iterable[TaskRow]) -> Iterator[str]:
        yield f"## {title}\n"
        yield "| name | kind | rows | languages | metrics | settings | licence | citation | same rows as | unverified |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        sources = []
        for row in rows:
            found = self._task(row.name)
            yield self._task_line(row, found)
            sources.append(f"- `{row.name}`: {self._source(row.name, found)}")
        yield f"\nWhere the rows of these come from:\n\n{chr(10).join(sources)}\n"

    def _task(self, name: str) -> TaskDecl:
        found = self.declarations.task(_declaration(name))
        if found is None:
            raise ValueError(f"{name}: {self.bag.all()}")
        return found

    def _task_line(self, row: TaskRow, found: TaskDecl) -> str:
        size = found.facts.rows
        rows = ", ".join(f"{split} {n:,}" for split, n in size.items())
        spoken = " ".join(found.languages) if len(found.languages) <= 12 else f"{len(found.languages)}"
        settings = ", ".join(f"{g.key} {_shown(g.value)}" for g in found.own_settings)
        kind = f"{row.kind}{f', as `{row.parent}`' if row.parent else ''}"
        return _row(
            f"`{row.name}`", kind, rows, spoken, ", ".join(found.metrics), settings, row.licence or "",
            _text(row.name, "cite"), self._same(row.name), ", ".join(found.facts.unverified),
        )  # fmt: skip

    def _source(self, name: str, found: TaskDecl) -> str:
        ids = dict.fromkeys(s.name for s in found.reading.sources if isinstance(s, HubData))
        obtain = f". {found.facts.obtain}" if found.facts.obtain else ""
        return (", ".join(f"`{i}`" for i in ids) or f"`{_value(name, 'data')}`") + obtain

    def _same(self, name: str) -> str:
        return "; ".join(f"`{_value(name, key)}`" for key in ("derived-from", "overlaps") if _value(name, key))

    def _others(self) -> Iterator[str]:
        yield "## Suites, mixtures and groups\n"
        for sort in (Suite, Let, Group):
            for name, found in sorted(library().items()):
                if isinstance(found, sort) and not name.startswith("w-"):
                    yield f"```xfer fragment\n{found.span.text}\n```\n"

    def _published(self, rows: Iterable[TaskRow]) -> Iterator[str]:
        yield "## Published scores\n"
        yield "In points; the mean is the source's own. For readers: nothing is compared with them yet.\n"
        for row in rows:
            if scores := self._task(row.name).facts.published:
                yield from _scores(row.name, scores)


def _model_line(row: ModelRow, found: ModelDecl) -> str:
    size, settings = found.size, {g.key: g.value for g in found.settings}
    vectors = [f"layer {settings['layer']}" if "layer" in settings else "last layer", str(settings.get("pool", "mean"))]
    vectors += [f'prefix "{settings["prefix"]}"'] if "prefix" in settings else []
    repository = found.weights.name if isinstance(found.weights, Repository) else ""
    return _row(
        f"`{row.name}`", f"`{repository}`", f"{size.layers} × {size.width}", f"{(size.parameters or 0) / 1e6:,.0f} M",
        ", ".join(vectors), row.licence or "", _text(row.name, "cite"), ", ".join(found.unverified),
    )  # fmt: skip


def _scores(name: str, scores: Iterable[Published]) -> Iterator[str]:
    """A table of one benchmark: a row a system and metric, a column a language."""
    found = list(scores)
    languages = list(dict.fromkeys((MEAN, *(s.language for s in found))))
    yield f"### {name}\n"
    yield f"| system | metric | {' | '.join(languages)} | source |"
    yield f"| --- | --- |{' --- |' * len(languages)} --- |"
    lines: dict[tuple[str, str], dict[str, Published]] = {}
    for score in found:
        lines.setdefault((score.system, score.metric), {})[score.language] = score
    for (system, metric), by_language in lines.items():
        first = next(iter(by_language.values()))
        cells = [f"{by_language[c].score:g}" if c in by_language else "" for c in languages]
        more = [first.split and f"{first.split} split", first.note]
        yield _row(system, metric, *cells, "; ".join([first.source, *(m for m in more if m)]))
    yield ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(c.replace('|', chr(92) + '|') for c in cells)} |"


def _declaration(name: str) -> Declaration:
    found = library()[name]
    if not isinstance(found, Declaration):
        raise TypeError(name)
    return found


def _value(name: str, key: str) -> str:
    """What the declaration itself says at a key, as written; "" where it says nothing."""
    pairs: Mapping[str, str] = {p.key.text: written(p.value) for p in _declaration(name).record.pairs}
    return pairs.get(key, "")


def _text(name: str, key: str) -> str:
    return _value(name, key).strip('"')


def _shown(value: object) -> str:
    arguments = getattr(value, "arguments", None)
    if arguments is None:
        return str(value)
    return f"{getattr(value, 'name', '')}({', '.join(f'{k}: {v}' for k, v in arguments)})"


def page() -> str:
    """The whole page."""
    return "\n".join(Page().lines()).rstrip() + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
