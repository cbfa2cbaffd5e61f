"""One document of all that was measured, a table of it, and the bars."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.fuzz.record import commit, cpu
from bench.plan.peers import PINNED
from bench.plan.rounds import AGAIN, EVERYTHING, NOTHING

if TYPE_CHECKING:
    from bench.plan.measure import Run
    from bench.plan.rounds import Measured

Figure = dict[str, Any]
# Jobs -> seconds and MiB that `xfer plan` may take; jobs and how many times Snakemake's faster form must take; seconds
# of a `run` that has nothing to do, of jobs.
PLAN_MOST = {10_011: (1.0, 120), 100_011: (10.0, 600)}
TIMES_LEAST = (10_011, 8.0)
RUN_MOST = (1_011, 0.6)
SNAKEMAKE = ("snakemake", "snakemake-rules")


def document(all_measured: Sequence[Measured], load: float) -> dict[str, Any]:
    """Everything that was found, and where; `load` is what the machine did besides when it began."""
    figures = [figure for measured in all_measured for figure in _figures(measured)]
    return {
        "figures": figures,
        "bars": bars(figures),
        "recorded": {str(m.graph.size): m.recordings for m in all_measured},
        "broken": [
            {"jobs": m.graph.size, "tool": tool, "recorded": state, "how": how}
            for m in all_measured
            for (tool, state), how in m.broken.items()
        ],
        "peers": PINNED,
        "commit": commit(),
        "machine": {"cpu": cpu(), "cores": len(os.sched_getaffinity(0)), "load": [load, os.getloadavg()[0]]},
        "python": platform.python_version(),
    }


def _figures(measured: Measured) -> Iterable[Figure]:
    for (tool, state), runs in measured.rounds.items():
        if not runs:
            continue
        ours = measured.rounds.get(("xfer", state), [])
        yield {
            "jobs": measured.graph.size,
            "tool": tool,
            "recorded": state,
            "seconds": _median((r.seconds for r in runs), 3),
            "cpu seconds": _median((r.cpu for r in runs), 2),
            "MiB": _median((r.mib for r in runs), 0),
            "times xfer": _ratio(runs, ours),
            "rounds": len(runs),
        }


def _ratio(runs: Sequence[Run], ours: Sequence[Run]) -> float | None:
    """The median of the ratios of each round; None without xfer."""
    pairs = list(zip(runs, ours, strict=False))  # what is slow has fewer rounds
    return _median((one.seconds / other.seconds for one, other in pairs), 3) if pairs else None


def _median(values: Iterable[float], digits: int) -> float:
    return round(statistics.median(values), digits)


def bars(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """What was to be reached, what was found, and whether it is met; of what was measured alone."""
    by = {(f["jobs"], f["tool"], f["recorded"]): f for f in figures}
    found = []
    for jobs, most in PLAN_MOST.items():
        for state in (NOTHING, EVERYTHING):
            if (ours := by.get((jobs, "xfer", state))) is not None:
                found += [_most(f"plan, {jobs:,} jobs, {state} recorded", ours, *most)]
    jobs, least = TIMES_LEAST
    for state in (NOTHING, EVERYTHING):
        times = [by[jobs, t, state]["times xfer"] for t in SNAKEMAKE if (jobs, t, state) in by]
        if times and None not in times:
            bar = f"Snakemake's faster form, {jobs:,} jobs, {state} recorded: at least {least:g} times xfer"
            found.append({"bar": bar, "found": f"{min(times):g} times", "met": min(times) >= least})
    jobs, seconds = RUN_MOST
    if (again := by.get((jobs, AGAIN, EVERYTHING))) is not None:
        found.append(_most(f"run with nothing to do, {jobs:,} jobs", again, seconds))
    return found


def _most(what: str, figure: Figure, seconds: float, mib: int | None = None) -> dict[str, Any]:
    bar, found = f"{what}: at most {seconds:g} s", f"{figure['seconds']:g} s"
    met = figure["seconds"] <= seconds
    if mib is not None:
        bar, found, met = f"{bar} and {mib} MiB", f"{found}, {figure['MiB']:g} MiB", met and figure["MiB"] <= mib
    return {"bar": bar, "found": found, "met": met}


def table(found: Mapping[str, Any]) -> str:
    """The figures and the bars in markdown."""
    lines = ["| jobs | tool | recorded | s | CPU s | MiB | times xfer |", "| --: | --- | --- | --: | --: | --: | --: |"]
    for f in sorted(found["figures"], key=lambda f: (f["jobs"], f["recorded"] == EVERYTHING, f["seconds"])):
        times = "" if f["times xfer"] is None else f"{f['times xfer']:.3g}"
        lines.append(
            f"| {f['jobs']:,} | {f['tool']} | {f['recorded']} | {f['seconds']:.2f} | {f['cpu seconds']:.2f} "
            f"| {f['MiB']:.0f} | {times} |"
        )
    lines += [f"| {b['jobs']:,} | {b['tool']} | {b['recorded']} | {b['how']} | | | |" for b in found["broken"]]
    lines += ["", *(f"- {'met' if b['met'] else 'NOT MET'}: {b['bar']} ({b['found']})" for b in found["bars"])]
    return "\n".join(lines)
