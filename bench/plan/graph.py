"""The graph that every tool is given: a model, ten trainings from it, ten after each of these, and evaluations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.study import TRAININGS

INTERMEDIATE = tuple(f"i{n}" for n in range(TRAININGS))
TARGET = tuple(f"t{n}" for n in range(TRAININGS))
TRAINED = 1 + TRAININGS + TRAININGS**2  # jobs that are no evaluation


@dataclass(frozen=True, slots=True)
class Job:
    """One job: the file that it reads, if any, and the one that it makes."""

    reads: str | None
    makes: str


@dataclass(frozen=True, slots=True)
class Graph:
    """So many evaluations, spread evenly over the target trainings. What they are evaluated on is no job here."""

    evaluations: int

    @property
    def size(self) -> int:
        """How many jobs it has."""
        return TRAINED + self.evaluations

    @property
    def each(self) -> tuple[str, ...]:
        """The evaluations of each target training, by name."""
        return tuple(f"e{n}" for n in range(self.evaluations // TRAININGS**2))

    def jobs(self) -> Iterator[Job]:
        """Every job, after what it reads."""
        yield Job(None, "model.txt")
        for i in INTERMEDIATE:
            yield Job("model.txt", f"intermediate/{i}.txt")
        for i in INTERMEDIATE:
            for t in TARGET:
                yield Job(f"intermediate/{i}.txt", f"target/{i}/{t}.txt")
        for i in INTERMEDIATE:
            for t in TARGET:
                for e in self.each:
                    yield Job(f"target/{i}/{t}.txt", f"scores/{i}/{t}/{e}.txt")


def of_size(size: int) -> Graph:
    """The graph with so many jobs. Raises ValueError where the evaluations do not come out even."""
    evaluations = size - TRAINED
    if evaluations <= 0 or evaluations % TRAININGS**2:
        raise ValueError(f"{size} is not {TRAINED} and a multiple of {TRAININGS**2}")
    return Graph(evaluations)


def make_files(folder: Path, graph: Graph) -> None:
    """Make what the jobs would make, as they would."""
    for job in graph.jobs():
        path = folder / job.makes
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{job.makes}\n", encoding="utf-8")
