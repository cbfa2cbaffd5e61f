"""What the statistics of a claim need of the selections in them: a baseline, a source language, a clean score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from compiler.cells import OF_LANGUAGES
from compiler.comparing import check_left, said_axis, usual
from compiler.named import values_of
from compiler.suggest import listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compiler.axes import Table
    from compiler.bag import Bag
    from compiler.comparing import Compared
    from compiler.quantities import Selected
    from dsl.syntax import Pair, Statistic


def check_measures(selected: Selected, bag: Bag) -> bool:
    """Whether each statistic around a selection has what it needs there."""
    right = [_is_measured(statistic, selected, bag) for statistic in selected.inside]
    return all(right)


def _is_measured(statistic: Statistic, selected: Selected, bag: Bag) -> bool:
    match statistic.function.text:
        case "gain":
            compared = baseline_of(statistic, selected, bag)
            return compared is not None and _is_left(compared, statistic, selected)
        case "gap":
            return _has_two_sides(selected, bag)
        case "retained":
            return _has_clean(selected, bag)
        case "correlation":
            return _has_distances(statistic, selected, bag)
    return True


# --- gain


def baseline_of(statistic: Statistic, selected: Selected, bag: Bag) -> Compared | None:
    """What a `gain` compares a selection with: `against`, else the baseline of its one pinned axis that has one."""
    if (against := _against(statistic)) is not None:
        found = said_axis(against.value, "against", selected.axes)
        if found is not None and selected.pins.get(found[0]) is not None:
            return found if _differs(found, against, selected, bag) else None
        return found
    candidates = list(_candidates(selected))
    if len(candidates) == 1:
        return candidates[0]
    _report_unclear(candidates, selected, bag)
    return None


def _against(statistic: Statistic) -> Pair | None:
    return next((pair for pair in statistic.options if pair.key.text == "against"), None)


def _candidates(selected: Selected) -> Iterator[Compared]:
    """The baselines of pinned axes; one that is pinned to its baseline compares with nothing."""
    for axis, pin in selected.pins.items():
        baselines = selected.axes.table.baselines.get(axis, ())
        if not set(pin.values) <= set(baselines):
            yield from ((axis, value) for value in baselines)


def _differs(compared: Compared, against: Pair, selected: Selected, bag: Bag) -> bool:
    """Whether a selection is another than what it is compared with."""
    axis, value = compared
    if selected.pins[axis].values != (value,):
        return True
    message = f"`{axis}` is pinned to `{value}` already, so there is nothing to gain"
    bag.error(codes.NO_BASELINE, against.span, message, "pin what is compared with it")
    return False


def _unpinned(selected: Selected) -> Iterator[Compared]:
    """Of each axis that is not pinned and has a baseline another value than that."""
    table = selected.axes.table
    for axis, baselines in table.baselines.items():
        if axis not in selected.pins:
            yield from ((axis, value) for value in table.values[axis] if value not in baselines)


def _others(selected: Selected) -> Iterator[Compared]:
    """Of each pinned axis another value than the pinned."""
    for axis, pinned in selected.pins.items():
        yield from ((axis, v) for v in selected.axes.table.values.get(axis, ()) if v not in pinned.values)


def _report_unclear(candidates: list[Compared], selected: Selected, bag: Bag) -> None:
    first = next(iter((*candidates, *usual(selected.axes.table), *_others(selected))), None)
    said = f"{first[0]}: {first[1]}" if first else "AXIS: VALUE"
    hint = f"say what it is over: `gain(…, against: {{ {said} }})`"
    loose = list(_unpinned(selected))
    still = [axis for axis in selected.pins if axis in selected.axes.table.baselines]
    if candidates:
        several = listing(f"{axis}: {value}" for axis, value in candidates)
        message = f"the gain could be the difference to each of {several}"
    elif still:
        message = f"{listing(still)} {'is' if len(still) == 1 else 'are'} pinned to the baseline, so nothing is gained"
        hint = f"pin another value, or say what it is compared with: `against: {{ {still[0]}: VALUE }}`"
    else:
        message = "no axis that is pinned here has a baseline to gain on"
    if loose and not candidates:
        axis, value = loose[0]
        against = f"against: {{ {axis}: {selected.axes.table.baselines[axis][0]} }}"
        hint = f"pin what gains: `{axis}: {value}`, or say what all are compared with: `gain(…, {against})`"
    bag.error(codes.NO_BASELINE, selected.node.span, message, hint)


def _is_left(compared: Compared, statistic: Statistic, selected: Selected) -> bool:
    span = against.value.span if (against := _against(statistic)) is not None else selected.node.span
    return check_left(compared, values_of(selected.pins), selected.axes, span)


def compared_tables(selected: Selected, bag: Bag) -> Iterator[Table]:
    """The scores of a selection, and those of the baselines that it is compared with."""
    yield selected.table
    for statistic in selected.inside:
        found = None
        if statistic.function.text == "gain":
            found = baseline_of(statistic, selected, bag)
        elif statistic.function.text == "retained":
            found = clean_of(selected)
        if found is not None:
            yield _beside(selected, found)


def _beside(selected: Selected, compared: Compared) -> Table:
    pins = values_of(selected.pins)
    return selected.axes.written(pins, {compared[0]}).baseline(pins, *compared)


# --- gap


def _has_two_sides(selected: Selected, bag: Bag) -> bool:
    """Whether each benchmark is scored in its source language and in another."""
    rows = selected.table.rows
    without = {row.taken["benchmark"]: row.source for row in rows if row.source not in row.languages}
    alone = {row.taken["benchmark"]: row.source for row in rows if row.languages == (row.source,)}
    both = [name for name in selected.table.values["benchmark"] if name not in {**without, **alone}]
    pin = f"pin one that has both: `benchmark: {both[0]}`" if both else None
    languages = any(axis in selected.pins for axis in OF_LANGUAGES)
    wide = "pin no language, or both sides of the gap: it goes over languages by itself"
    for name, source in without.items():
        message = f"`{name}` has no scores here in its source language `{source}`, one side of a gap"
        hint = pin or (wide if languages else f"evaluate it in `{source}`, too")
        bag.error(codes.NO_GAP, selected.node.span, message, hint)
    for name, source in alone.items():
        message = f"`{name}` has scores here in its source language `{source}` alone, one side of a gap"
        hint = pin or (wide if languages else "evaluate it in other languages, too")
        bag.error(codes.NO_GAP, selected.node.span, message, hint)
    return not without and not alone


# --- retained


def clean_of(selected: Selected) -> Compared | None:
    """The axis of the perturbation that is pinned, and its clean value."""
    table = selected.axes.table
    under = [axis for axis, slot in table.slots.items() if slot == "under" and axis in selected.pins]
    return next(((axis, table.baselines[axis][0]) for axis in under if axis in table.baselines), None)


def _has_clean(selected: Selected, bag: Bag) -> bool:
    """Whether `under` is pinned to a perturbation, and the same is scored clean, too."""
    table, pins = selected.axes.table, selected.pins
    under = [axis for axis, slot in table.slots.items() if slot == "under"]
    clean = {axis: table.baselines[axis][0] for axis in under if axis in table.baselines}
    pinned = [axis for axis in under if axis in pins]
    changed = [value for axis in under for value in table.values[axis] if value not in table.baselines.get(axis, ())]
    hint = f"pin one: `under: {changed[0]}`" if changed else "evaluate under one: `under: {clean | typos(rate: 10%)}`"
    if not pinned:
        message = "`retained` is the share of the clean score, and no perturbation is pinned here"
    elif any(set(pins[axis].values) & set(table.baselines.get(axis, ())) for axis in pinned):
        message = "`retained` is the share of the clean score, and this is the clean score"
    elif any(a in clean and table.baseline(values_of(pins), a, clean[a]).rows for a in pinned):
        return True
    else:
        message = "`retained` is the share of the clean score, and there is none at these pins"
        hint = "evaluate it clean, too: `under: {clean | …}`"
    bag.error(codes.NOT_RETAINED, selected.node.span, message, hint)
    return False


# --- correlation

FEWEST_LANGUAGES = 4  # of fewer, any numbers correlate


def distances(selected: Selected) -> dict[str, set[float]]:
    """How far each language is from the source, by the benchmarks that are scored in it."""
    found: dict[str, set[float]] = {}
    for row in selected.table.rows:
        for code in row.languages:
            found.setdefault(code, set()).update({row.distances[code]} if code in row.distances else ())
    return {code: said for code, said in found.items() if said}


def _has_distances(statistic: Statistic, selected: Selected, bag: Bag) -> bool:
    """Whether every language that is selected has a distance, and there are enough of them."""
    known = distances(selected)
    languages = selected.table.values.get("language", ())
    without = [code for code in languages if code not in known]
    apart = next((code for code in languages if len(known.get(code, ())) > 1), None)
    if apart is not None:
        said = " and ".join(f"{d:g}" for d in sorted(known[apart]))
        message = f"`{apart}` is {said} away from the source, by the benchmarks that are selected"
        hint = "pin one of them, `benchmark: NAME`, or declare the same `distances` in each"
    elif without:
        message = f"nobody says how far {listing(without)} {'is' if len(without) == 1 else 'are'} from the source"
        hint = f"say it in the benchmark's declaration: `distances: {{ {without[0]}: 0.5, … }}`"
    elif len({d for code in languages for d in known[code]}) < FEWEST_LANGUAGES:
        are = "1 language is" if len(languages) == 1 else f"{len(languages)} languages are"
        message = f"{are} too few to correlate with their distances"
        hint = f"select {FEWEST_LANGUAGES} or more"
    else:
        return True
    bag.error(codes.NO_DISTANCE, statistic.span, message, hint)
    return False
