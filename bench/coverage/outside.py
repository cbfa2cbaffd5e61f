"""Cells beyond the grid: where seeds are not normal, items few or not independent, or not the same in all languages."""

from __future__ import annotations

from msgspec import Struct

from bench.coverage.methods import Taken
from bench.coverage.world import World, even

RUNS = 2_000


class Case(Struct, frozen=True):
    """A world, and how its items are taken."""

    world: World
    taken: Taken = "rows"


def cases() -> dict[str, Case]:
    """By a name that says what is different."""
    return {**_seeds(), **_items(), **_languages()}


def _seeds() -> dict[str, Case]:
    """Seeds whose accuracy is not normal."""
    found = {}
    for seeds in (2, 3, 5, 10):
        ceiling = World(seeds=seeds, items=500, levels=even(2, 1, 0.9), deviation=0.1)
        found[f"near the ceiling: accuracy 0.9, seed SD 0.1, 500 items, {seeds} seeds"] = Case(ceiling)
    for seeds in (2, 3, 5, 10):
        falling = World(seeds=seeds, items=500, levels=even(2, 1, 0.8), deviation=0.02, collapse=0.1)
        found[f"one seed in ten falls to chance: accuracy 0.8, seed SD 0.02, 500 items, {seeds} seeds"] = Case(falling)
    return found


def _items() -> dict[str, Case]:
    """Few items, easy ones, items of one passage."""
    few = {
        f"20 items, seed SD {deviation}, {seeds} seeds": Case(
            World(seeds=seeds, items=20, levels=even(2, 1), deviation=deviation)
        )
        for deviation in (0.02, 0.1)
        for seeds in (2, 5)
    }
    easy = {
        f"nearly all right: accuracy 0.97, seed SD 0.005, {items} items, 5 seeds": Case(
            World(seeds=5, items=items, levels=even(2, 1, 0.97), deviation=0.005)
        )
        for items in (100, 40)
    }
    alike = World(seeds=2, items=100, levels=even(2, 1), deviation=0.05, rest=0.1)
    passages = World(seeds=5, items=240, levels=even(2, 1), deviation=0.02, passage=5)
    return {
        **few,
        **easy,
        "seeds that mostly fail on the same items (rest 0.1), seed SD 0.05, 100 items, 2 seeds": Case(alike),
        "passages of five questions, taken for single ones: seed SD 0.02, 240 items, 5 seeds": Case(passages),
        "the same, a row for each passage": Case(passages, "passages"),
    }


def _languages() -> dict[str, Case]:
    """Languages whose items are taken for others than they are, and languages that do not share theirs."""
    parallel = World(seeds=5, items=100, levels=even(2, 11), deviation=0.0)
    found = {"11 parallel languages taken for independent, seed SD 0, 100 items, 5 seeds": Case(parallel, "apart")}
    for title, sizes in (
        ("100 items of its own each", (100,) * 11),
        ("50 to 500 items of its own each", (50, 80, 100, 150, 200, 250, 300, 350, 400, 450, 500)),
        ("20 items of its own in one, 500 in ten", (20, *[500] * 10)),
    ):
        for deviation in (0.0, 0.05):
            world = World(seeds=5, items=0, levels=even(2, 11), deviation=deviation, own=sizes)
            name = f"11 languages, {title}, seed SD {deviation:g}, 5 seeds"
            found[name] = Case(world)
            found[f"{name}, all items apart"] = Case(world, "apart")
    return found
