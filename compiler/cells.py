"""The scores that a run will have, each with its value of every axis (docs/language.md, section 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler.forgetting import evaluations
from compiler.pairs import are_pairs, sides
from compiler.perturbations import CLEAN, perturbation_name
from compiler.titles import stage_names

if TYPE_CHECKING:
    from compiler.facts import Published
    from compiler.settle import Run, Setting, Settings, Settled
    from compiler.suites import Taken
    from dsl.source import Span

OF_LANGUAGES = ("language", "first", "second")
UNCHANGED: Mapping[str, str] = {"robust": "none", "under": CLEAN}  # the value of a slot that is its axes' baseline

Whose = tuple[int, "Span", str, int | None]  # a target of a run, after a stage by its number or after the last
_Said = Mapping["Span", tuple[str, "Setting"]]  # by the place of a choice of values: the slot, and the value taken


class Scored(Struct, frozen=True):
    """The scores of one target of one run: one value of each axis, but of languages and metrics all."""

    experiment: str
    taken: Mapping[str, str]  # axis -> value; the built-in ones with them
    free: frozenset[str]  # axes that the run reaches and these scores do not depend on
    neutral: frozenset[str]  # axes whose value here is the baseline of the others
    slots: Mapping[str, str]  # axis -> the slot of settings that it sets
    languages: tuple[str, ...]
    metrics: tuple[str, ...]
    source: str  # the language of training, as the benchmark has it
    trained: bool  # whether the run has a stage
    controls: frozenset[str]  # axes whose value here nobody wrote
    distances: Mapping[str, float]  # of languages from the source, as far as they are known
    published: tuple[Published, ...]  # scores of this benchmark that others published
    whose: Whose  # they are

    def axes(self) -> tuple[str, ...]:
        """Every axis that these scores have a value of."""
        pairs = OF_LANGUAGES[1:] if are_pairs(self.languages) else ()
        return (*self.taken, *(("language", *pairs) if self.languages else ()), "metric")

    def values(self, axis: str) -> tuple[str, ...]:
        """The values that they have of an axis; none where the run does not reach it."""
        if axis == "language":
            return self.languages
        if axis in OF_LANGUAGES:
            found = (side(language, axis) for language in self.languages)
            return tuple(dict.fromkeys(value for value in found if value is not None))
        if axis == "metric":
            return self.metrics
        return (self.taken[axis],) if axis in self.taken else ()

    def narrowed(self, axis: str, values: Collection[str]) -> Scored | None:
        """Those with one of the values; None where none has."""
        if axis in OF_LANGUAGES:
            plain = axis == "language"
            languages = tuple(c for c in self.languages if (c if plain else side(c, axis)) in values)
            return replace(self, languages=languages) if languages else None
        if axis == "metric":
            metrics = tuple(m for m in self.metrics if m in values)
            return replace(self, metrics=metrics) if metrics else None
        return self if axis in self.free or self.taken.get(axis) in values else None


def whose(run: Run, target: Settled, after: int | None = None) -> Whose:
    """What tells a target of a run from all others, as long as the run is there."""
    return id(run), target.span, target.task.name, after


def side(language: str, axis: str) -> str | None:
    """A language by an axis: itself, or the first or second of a pair such as `de.fr`; None where it is no pair."""
    if axis == "language":
        return language
    pair = sides(language)
    return pair[OF_LANGUAGES.index(axis) - 1] if len(pair) > 1 else None


def scores(run: Run) -> Iterator[Scored]:
    """The scores of each target of a run."""
    stages = _of_stages(run)
    for target, after in _targets(run):
        yield _scored(run, target, after, {**stages, **_said(run, [target.settings])})


def chosen(run: Run, target: Settled, after: int | None = None) -> dict[Span, Taken]:
    """What was taken where it counts for the scores of a target, after a stage by its number or after the last.

    A choice that stands at another target alone is no axis of them, nor is the seed of a later stage.
    """
    others = _of_others(run, target) | _later_seeds(run, after)
    return {place: taken for place, taken in run.axes.items() if place not in others}


def _of_stages(run: Run) -> dict[Span, tuple[str, Setting]]:
    """The choices of values that stand in the stages of a run."""
    return _said(run, [s for stage in run.stages for s in (stage.settings, *(p.settings for p in stage.parts))])


def _of_others(run: Run, target: Settled) -> set[Span]:
    """The choices of values of a run that stand at other targets alone: no axes of this one's scores."""
    every = [*run.targets, *(earlier.target for earlier in run.previous)]
    if len(every) == 1 or not run.axes:
        return set()
    own = _of_stages(run) | _said(run, [target.settings])
    return {place for other in every for place in _said(run, [other.settings])} - set(own)


def _later_seeds(run: Run, after: int | None) -> set[Span]:
    """The choices of seeds that stages behind one alone have, by its number: what is scored after it knows none."""
    if after is None:
        return set()
    seeds = [(n, _said(run, [stage.settings])) for n, stage in enumerate(run.stages)]
    reached = {p for n, said in seeds if n <= after for p, (slot, _) in said.items() if slot == "seed"}
    return {p for _, said in seeds for p, (slot, _) in said.items() if slot == "seed"} - reached


def seed_of(run: Run, after: int | None = None) -> str:
    """The seed of a stage by its number, or of the last; nothing is random where nothing is trained."""
    return str(run.stages[-1 if after is None else after]["seed"]) if run.stages else ""


def _targets(run: Run) -> Iterator[tuple[Settled, int | None]]:
    """Each target of a run; those of `@ previous` with the numbers of the stages after which they are scored."""
    yield from ((target, None) for target in run.targets)
    yield from ((again.target, again.after) for again in evaluations(run))


def _scored(run: Run, target: Settled, after: int | None, said: _Said) -> Scored:
    """The scores of a target; `said` are the choices of values of stages and of the target."""
    counted = chosen(run, target, after)
    said = {place: found for place, found in said.items() if place in counted}
    taken = _built_in(run, target, {t.axis: t.value for t in counted.values()}, said.values(), after)
    taken |= {"after": stage_names(run.stages)[after]} if after is not None else {}
    slots = {counted[place].axis: slot for place, (slot, _) in said.items()}
    still = {counted[place].axis for place, (slot, s) in said.items() if UNCHANGED.get(slot) == s.value}
    clean = {"under"} if "under" not in slots and taken.get("under") == CLEAN else set()
    return Scored(
        experiment=run.experiment,
        taken=taken,
        free=frozenset(t.axis for t in run.axes.values()) - set(taken),
        neutral=frozenset({t.axis for t in counted.values() if t.skip} | still | clean),
        slots={**{slot: slot for slot in ("seed", "under") if slot in taken}, **slots},
        languages=target.languages,
        metrics=target.task.metrics,
        source=target.task.source_language,
        trained=bool(run.stages),
        controls=frozenset(t.axis for t in counted.values() if t.control),
        distances=target.task.distances,
        published=target.task.facts.published,
        whose=whose(run, target, after),
    )


def _built_in(
    run: Run, target: Settled, taken: Mapping[str, str], said: Iterable[tuple[str, Setting]], after: int | None
) -> dict[str, str]:
    """The axes of choices, with those that every score has."""
    slots = {slot for slot, _ in said}
    found = {"model": run.model.name, **taken, "benchmark": target.task.name}
    if "seed" not in slots and run.stages:
        found["seed"] = seed_of(run, after)
    if "under" not in slots:
        found["under"] = perturbation_name(target["under"])
    return found


def _said(run: Run, settings: Iterable[Settings]) -> dict[Span, tuple[str, Setting]]:
    """The choices of values of a run that stand in these settings."""
    found = {}
    for slot, setting in (pair for s in settings for pair in s.items()):
        for place in run.axes if setting.place is not None else ():
            if setting.place is not None and _holds(setting.place, place):
                found[place] = (slot, setting)
    return found


def _holds(outer: Span, inner: Span) -> bool:
    return outer.source is inner.source and outer.start <= inner.start and inner.end <= outer.end
