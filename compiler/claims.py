"""`claim "…": …`, held against the axes of its experiments (docs/language.md, section 10)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from compiler import codes
from compiler.bag import Bag
from compiler.intervals import check_level
from compiler.measures import check_measures, compared_tables
from compiler.quantities import check_form, gone_over, selections, statistics
from compiler.suggest import did_you_mean
from compiler.units import check_units
from dsl.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from compiler.axes import Table
    from compiler.quantities import Selected
    from dsl.source import Span
    from dsl.syntax import Claim, Statistic

VERDICTS = ("supported", "refuted", "undecided")
FEWEST_SEEDS = 3  # for a verdict on what is trained


def check_claim(claim: Claim, tables: Mapping[str, Table], bag: Bag) -> None:
    """Report what is wrong in a part; where nothing is, what the parts together leave out or open."""
    for statistic in statistics(claim):
        check_form(statistic, bag)
    selected = selections(claim, tables, bag)
    whole = selected if not bag.failed() else None
    check_units(claim, bag)
    _check_words(claim, bag)
    if whole:
        _check_together(claim, whole, bag)
        if not bag.failed():
            _warn_few_seeds(claim, whole, bag)


def _check_words(claim: Claim, bag: Bag) -> None:
    """`expect` and `at`."""
    if claim.expect is not None and claim.expect.text not in VERDICTS:
        message = (
            f"a claim is {', '.join(f'`{v}`' for v in VERDICTS[:2])} or `{VERDICTS[2]}`, not `{claim.expect.text}`"
        )
        bag.error(codes.WRONG_VALUE, claim.expect.span, message, did_you_mean(claim.expect.text, VERDICTS))
    if claim.level is not None:
        check_level(claim.level, "at", bag)


def _check_together(claim: Claim, selected: Sequence[Selected], bag: Bag) -> None:
    quantified = [_is_quantified(n, claim, selected, bag) for n in range(len(claim.axes))]
    over = [_goes_over(s, [c for c in selected if s in c.inside], claim, bag) for s in statistics(claim)]
    for one in selected if all((*quantified, *over)) else ():
        if check_measures(one, bag):
            _check_open(claim, one, bag)


def _is_quantified(number: int, claim: Claim, selected: Sequence[Selected], bag: Bag) -> bool:
    """Whether the axis of a quantifier stands once and has values to go through."""
    name = claim.axes[number]
    if (first := next((n for n in claim.axes[:number] if n.text == name.text), None)) is not None:
        _report_twice(name.text, f"stands twice behind `{claim.quantifier}`", name.span, first.span, bag)
        return False
    return _has_values(name.text, name.span, selected, bag)


def _goes_over(statistic: Statistic, beneath: Sequence[Selected], claim: Claim, bag: Bag) -> bool:
    """Whether each axis that a statistic goes over is there, and nothing else has made one value of it."""
    right = True
    quantified = {name.text: name.span for name in claim.axes}
    within = [inner for c in beneath for inner in c.inside[c.inside.index(statistic) + 1 :]]
    already = {axis: span for inner in within for axis, span in gone_over(inner).items()}
    for axis, span in gone_over(statistic).items():
        if axis in quantified:
            _report_twice(axis, f"is taken one by one behind `{claim.quantifier}`", span, quantified[axis], bag)
        elif axis in already:
            _report_twice(axis, "is gone over twice", span, already[axis], bag)
        elif not beneath or span is statistic.function.span or _has_values(axis, span, beneath, bag):
            continue
        right = False
    return right


def _report_twice(axis: str, how: str, span: Span, first: Span, bag: Bag) -> None:
    bag.error(codes.AXIS_TWICE, span, f"`{axis}` {how}", "leave one of them", Label(first, "first here"))


def _has_values(axis: str, span: Span, selected: Sequence[Selected], bag: Bag) -> bool:
    """Whether the selections that do not pin an axis have values of it, some of them in common."""
    loose = [s for s in selected if not s.is_pinned(axis)]
    if not loose:
        message = f"`{axis}` is pinned in every selection here, so there is nothing to go through"
        label = Label(selected[0].pins[axis].span, "pinned here")
        bag.error(codes.AXIS_TWICE, span, message, "take the pin out, or leave the axis unsaid", label)
        return False
    if not all(s.axes.has(axis, span) for s in loose):
        return False
    if set.intersection(*(set(s.table.values.get(axis, ())) for s in loose)):
        return True
    if (without := next((s for s in loose if axis not in s.table.values), None)) is not None:
        message = f"no run of `{without.node.name.text}` that is selected reaches `{axis}`"
        hint = "pin what reaches it, or leave the axis unsaid"
    else:
        message, hint = f"the selections have no value of `{axis}` in common", f"pin `{axis}` in each of them"
    bag.error(codes.NO_SCORES, span, message, hint, *(Label(s.node.span) for s in loose))
    return False


def _check_open(claim: Claim, selected: Selected, bag: Bag) -> None:
    """Every axis with several values is pinned, averaged, quantified or gone over."""
    shown = {name.text for name in claim.axes} | {a for s in selected.inside for a in gone_over(s)}
    for axis in selected.table.open(shown):
        values = selected.table.values[axis]
        message = f"`{axis}` has {len(values)} values here, and only seeds, languages and benchmarks are averaged"
        hint = f"pin it, `[{axis}: {values[0]}]`, go over it, `over: {axis}`, or say `every {axis}:`"
        bag.error(codes.LEFT_OPEN, selected.node.span, message, hint)


def fewest_seeds(claim: Claim, selected: Sequence[Selected]) -> int | None:
    """The fewest seeds with which a run in the claim is trained; None where none is trained."""
    return min((f for one in selected if (f := _fewest_of(claim, one, Bag())) is not None), default=None)


def _fewest_of(claim: Claim, one: Selected, bag: Bag) -> int | None:
    apart = any(one.axes.table.is_seed(axis) for axis in _taken_apart(claim, one))
    found = [1 if apart else fewest for t in compared_tables(one, bag) if (fewest := _fewest_seeds(t))]
    return min(found, default=None)


def _taken_apart(claim: Claim, one: Selected) -> Iterator[str]:
    """The axes whose values are taken one by one."""
    yield from (name.text for name in claim.axes)
    yield from (axis for statistic in one.inside for axis in gone_over(statistic))


def _warn_few_seeds(claim: Claim, selected: Sequence[Selected], bag: Bag) -> None:
    """Say once what no score can change: with fewer than three seeds a claim stays undecided."""
    for one in selected:
        fewest = _fewest_of(claim, one, bag)
        if fewest is not None and fewest < FEWEST_SEEDS:
            seeds = "1 seed" if fewest == 1 else f"{fewest} seeds"
            message = f"a trained run of `{one.node.name.text}` has {seeds} here: undecided whatever the scores"
            alone = [a for a in (*_taken_apart(claim, one), *one.pins) if one.axes.table.is_seed(a)]
            left = f"seeds are averaged where `{alone[0]}` is neither pinned nor gone through" if alone else ""
            bag.warn(codes.FEW_SEEDS, one.node.span, message, left or "a verdict needs three: `with (seeds: 3)`")
            return


def _fewest_seeds(table: Table) -> int:
    """The fewest seeds with which a run of the table is trained; 0 where none is."""
    seeds: dict[frozenset[tuple[str, str]], set[tuple[str, ...]]] = defaultdict(set)
    for row in table.rows:
        if row.trained:
            same = frozenset(pair for pair in row.taken.items() if not table.is_seed(pair[0]))
            seeds[same].add(tuple(v for a, v in row.taken.items() if table.is_seed(a)))
    return min(map(len, seeds.values()), default=0)
