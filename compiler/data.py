"""Data of stages and targets to nodes: which rows, encoded how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler import codes
from compiler.catalog import OF_ENCODING, SPLITS
from compiler.check import rows_of
from compiler.ops import Data, Key, Limit, Model, Own, Perturbation, Rows
from compiler.perturbations import CLEAN, perturbation_name
from compiler.plan import Declared
from compiler.values import as_text, as_whole
from dsl.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.bag import Bag
    from compiler.declare import TaskDecl
    from compiler.graph import Graph
    from compiler.locate import Locator
    from compiler.plan import Place
    from compiler.reading import Reading
    from compiler.settle import Settled
    from dsl.source import Span


CHOOSES = "a checkpoint is chosen by it"


def under_of(target: Settled) -> str:
    """` under typos(rate: 10%)` in labels of a target whose texts are perturbed, else nothing."""
    return "" if target["under"] == CLEAN else f" under {perturbation_name(target['under'])}"


class _Asked(Struct, frozen=True):
    """Which rows of a part, and as what."""

    language: str
    split: str
    scored: bool
    limit: Limit | None
    under: Perturbation | None
    own: Own | None
    counted: bool = False  # in statistics, where rows that come together are one draw


def _own(part: Settled) -> Own | None:
    """What the kind alone has to say of how rows are encoded."""
    return own_of({key: part[key] for key in OF_ENCODING if key in part.settings})


def own_of(values: Mapping[str, object]) -> Own | None:
    """The values of settings that one kind alone has, where there are any; None where there are none."""
    return tuple((key, value) for key, value in values.items() if isinstance(value, int | float)) or None


def _prefix(part: Settled) -> str:
    return as_text(part["prefix"]) if "prefix" in part.settings else ""


class DataLowering:
    """Enters data nodes, each once; what is wrong with a part's data is told once."""

    def __init__(self, graph: Graph, locator: Locator, bag: Bag) -> None:
        self._graph, self._locator, self._bag = graph, locator, bag
        self._data: dict[tuple[object, ...], Key | None] = {}
        self._split_there: dict[tuple[Span, tuple[str, ...], str], bool] = {}
        self._parts: dict[tuple[int, Key], tuple[Settled, tuple[Key, ...] | None]] = {}
        self._known_splits: dict[tuple[Span, str], tuple[str, ...]] = {}
        self._targets: dict[tuple[object, ...], dict[str, Key]] = {}
        self._rows: dict[tuple[Key, ...], frozenset[object]] = {}
        self.declared: dict[Key, Declared] = {}
        self.unverified: dict[str, tuple[str, ...]] = {}

    def of_part(self, part: Settled, model: Key) -> tuple[Key, ...] | None:
        """The data of a part of a stage, one key a language; None after a finding. Looked for once a part."""
        known = self._parts.get((id(part), model))
        if known is None:
            known = self._parts[id(part), model] = (
                part,
                self._of_part(part, model),
            )  # the part lives as long as its id
        return known[1]

    def _of_part(self, part: Settled, model: Key) -> tuple[Key, ...] | None:
        if not self.has_split(part, "train", "a stage needs one"):
            return None
        limit = part["limit"] if isinstance(part["limit"], Limit) else None
        wanted = [_Asked(c, "train", False, limit, None, _own(part)) for c in part.languages]
        keys = [self._node(part, model, part, asked) for asked in wanted]
        found = tuple(k for k in keys if k is not None)
        return found if len(found) == len(keys) else None

    def dev(
        self, part: Settled, lengths: Settled, model: Key, languages: tuple[str, ...], limit: Limit | None
    ) -> tuple[Key, ...] | None:
        """Dev data by which a checkpoint is chosen, one key a language; None after a finding.

        They are as the data have them: what a target perturbs or leaves out chooses nothing.
        """
        if not self.has_split(replace(part, languages=languages), "dev", CHOOSES):
            return None
        keys = [self._node(part, model, lengths, _Asked(c, "dev", True, limit, None, _own(part))) for c in languages]
        found = tuple(k for k in keys if k is not None)
        return found if len(found) == len(keys) else None

    def whole(self, part: Settled, lengths: Settled, model: Key, splits: tuple[str, ...] = SPLITS) -> None:
        """Enter all rows of a part, as they are, in each of these splits that its data have in a language."""
        for split in splits:
            scored = split != "train"
            for code in part.languages:
                if split in self._splits(part.task, code):
                    self._node(part, model, lengths, _Asked(code, split, scored, None, None, _own(part), scored))

    def has_split(self, part: Settled, split: str, why: str) -> bool:
        """Whether the data have the split in all languages; one message tells of all that lack it, and `why`."""
        known = (part.task.span, part.languages, split)
        if known not in self._split_there:
            lacking = [c for c in part.languages if split not in self._splits(part.task, c)]
            self._split_there[known] = not lacking
            if lacking:
                self._no_split(part, lacking, split, why)
        return self._split_there[known]

    def _splits(self, task: TaskDecl, language: str) -> tuple[str, ...]:
        """The splits that a task has in a language; looked for once."""
        if (task.span, language) not in self._known_splits:
            found = self._locator.splits(task.reading_of(language).sources, language, task.code_of(language))
            self._known_splits[task.span, language] = found
        return self._known_splits[task.span, language]

    def _sources(self, task: TaskDecl, split: str, language: str) -> tuple[tuple[str, tuple[Rows, ...]], ...] | None:
        """The rows of each source by its name, in the order that matters to a join alone; None after a finding."""
        reading, code = task.reading_of(language), task.code_of(language)
        found: list[tuple[str, tuple[Rows, ...]]] = []
        for named in reading.data:
            rows = [self._locator.rows(s, split, language, code, task.facts.obtain) for s in named.parts]
            found.append((named.name, tuple(r for r in rows if r is not None)))
            if None in rows:
                return None
        if task.absent is not None:
            self._locator.obtain[task.absent] = task.facts.obtain or ""
            found[0] = (found[0][0], (*found[0][1], task.absent))
        return tuple(found if reading.join else sorted(found, key=lambda n: n[0]))

    def of_target(self, target: Settled, model: Key, split: str, lengths: Settled) -> Mapping[str, Key]:
        """The data of a target by language, without those of which something is wrong; looked for once."""
        limit, under = target["limit"], target["under"]
        rows = limit if isinstance(limit, Limit) else None
        changed = under if isinstance(under, Perturbation) else None
        asked = _Asked("", split, True, rows, changed, _own(target), counted=True)
        known = (target.task.span, target.languages, model, as_whole(lengths["max-length"]), _prefix(target), asked)
        if known not in self._targets:
            found = {c: self._node(target, model, lengths, replace(asked, language=c)) for c in target.languages}
            self._targets[known] = {c: key for c, key in found.items() if key is not None}
        return self._targets[known]

    def _node(self, part: Settled, model: Key, lengths: Settled, asked: _Asked) -> Key | None:
        max_length = as_whole(lengths["max-length"])
        prefix = _prefix(part)
        known = (part.task.span, model, max_length, prefix, asked)
        if known not in self._data:
            fits = self._fits(model, lengths)
            op = self._op(part.task, model, max_length, prefix, asked) if fits else None
            self._data[known] = self._enter(op, part, lengths, asked) if op is not None else None
        return self._data[known]

    def _enter(self, op: Data, part: Settled, lengths: Settled, asked: _Asked) -> Key:
        changed = under_of(part) if asked.under is not None else ""
        label = f"data {part.task.name} {asked.split}[{asked.language}]{changed}"
        places = self._data_places(part, part.task.reading_of(asked.language), lengths)
        key = self._graph.enter(op, label, part.name_span, places)
        self._note(part.task, key, asked.split)
        return key

    def _note(self, task: TaskDecl, key: Key, split: str) -> None:
        """What the declaration says of the rows besides what they mean."""
        if split in task.facts.rows:
            self.declared[key] = Declared(task.facts.rows[split], task.facts.tokens)
        if task.facts.unverified:
            self.unverified[task.name] = task.facts.unverified

    def _op(self, task: TaskDecl, model: Key, max_length: int, prefix: str, asked: _Asked) -> Data | None:
        sources, reading = self._sources(task, asked.split, asked.language), task.reading_of(asked.language)
        if sources is None:
            return None
        return Data(
            model=model,
            kind=task.kind.name,
            sources=sources,
            join=reading.join.text if reading.join else None,
            filter=reading.filter.text if reading.filter else None,
            language=asked.language,
            code=task.code_of(asked.language),
            split=asked.split,
            fields=tuple((f.name, f.template) for f in reading.input),
            labels=task.labels,
            max_length=max_length,
            prefix=prefix,
            limit=asked.limit,
            scored=asked.scored,
            under=asked.under,
            own=asked.own,
            cluster=reading.cluster.template if reading.cluster and asked.counted else None,
        )

    def _fits(self, model: Key, lengths: Settled) -> bool:
        """Whether `max-length` lies within the model's positions, as far as these are known here."""
        op, length = self._graph.nodes[model].op, as_whole(lengths["max-length"])
        positions = self._locator.shape(op.source).positions if isinstance(op, Model) else None
        if positions is None or length <= positions:
            return True
        said = lengths.settings["max-length"].place
        span = said if said is not None and said.source is lengths.span.source else lengths.span
        message = f"`max-length` is {length}, and the model has {positions} positions"
        self._bag.error(codes.WRONG_VALUE, span, message, f"set `max-length: {positions}` or less")
        return False

    def _data_places(self, part: Settled, reading: Reading, lengths: Settled) -> Mapping[str, Place]:
        """Where each thing that the data's key holds was said."""
        said = {f"input.{f.name}": f.span for f in reading.input}
        said |= {"labels": part.task.said["labels"]} if "labels" in part.task.said else {}
        said |= {"data": reading.sources[0].span, "input": reading.input[0].span}
        written = (("join", reading.join), ("filter", reading.filter), ("cluster", reading.cluster))
        said |= {key: w.span for key, w in written if w is not None}
        for key, owner in (
            ("max-length", lengths),
            ("limit", part),
            ("split", part),
            ("prefix", part),
            ("under", part),
            *((key, part) for key in OF_ENCODING),
        ):
            setting = owner.settings.get(key)
            if setting is not None and setting.place is not None:
                said[key] = setting.place
        return {key: self._graph.place(span) for key, span in said.items()}

    def _no_split(self, part: Settled, lacking: list[str], split: str, why: str) -> None:
        data, code = part.task.reading_of(lacking[0]).sources, part.task.code_of(lacking[0])
        there = ", ".join(self._locator.splits(data, lacking[0], code)) or "no split at all"
        message = f"`{part.task.name}` has no {split} split in {', '.join(f'`{c}`' for c in lacking)}; {why}"
        missing = self._locator.expected(data, split, lacking[0], code)
        hint = f"its data have: {there}" + (f"; {missing}" if missing else "")
        hint += f"; {part.task.facts.obtain}" if missing and part.task.facts.obtain else ""
        if split == "train" and not missing and there != "no split at all":
            hint += f"; to train on those, a `task NAME : {part.task.name} {{ data: … }}` calls them `train`"
        self._bag.error(codes.NO_SPLIT, part.name_span, message, hint, Label(data[0].span, "its data"))

    def rows_read(self, part: Settled, model: Key) -> frozenset[object]:
        """What a part of a stage trains on, as `rows_of` tells it."""
        return self.rows(self.of_part(part, model) or ())

    def rows(self, keys: tuple[Key, ...]) -> frozenset[object]:
        """What some data read, as `rows_of` tells it."""
        if keys not in self._rows:
            ops = [self._graph.nodes[k].op for k in keys]
            self._rows[keys] = frozenset(r for op in ops if isinstance(op, Data) for r in rows_of(op))
        return self._rows[keys]

    def target_split(self, target: Settled) -> str:
        """The split that a target is scored on: what is stated, else `test`, else `dev`."""
        stated = target["split"] or target.task.split
        if stated is not None:
            return as_text(stated)
        there = {s for c in target.languages for s in self._splits(target.task, c)}
        return "test" if "test" in there else "dev"
