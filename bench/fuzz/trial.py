"""Trying inputs one by one: what was tried, the worst of it, and the first breach, each on disk when it is needed."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.fuzz.again import again, ready, trier
from tests.fuzzing import MOST_MEMORY, MOST_SECONDS, NODES, Tried

if TYPE_CHECKING:
    from typing import Never

HUNG = 10.0  # seconds of CPU after which compiling, drawing and formatting an input is not waited for


@dataclass(frozen=True, slots=True)
class Task:
    """What one process is to do."""

    sort: str  # the module that does it: "valid" or "guided"
    number: int
    seed: int  # the first of the valid specs; or of libFuzzer, where 0 would stand for the time
    count: int
    out: str
    trier: str  # MODULE:FUNCTION, `tests.fuzzing:tried` unless a test says otherwise


class Breach(Exception):  # noqa: N818  (a finding of the fuzzer; not an error of its own)
    """An input that did what none may; says what."""


class Hung(BaseException):
    """Raised in an input that does not end; what is tried catches no BaseException."""


@dataclass(slots=True)
class Trials:
    """The inputs of one process. Its files in the task's folder bear the task's number."""

    task: Task
    folder: Path  # the small files that specs may name
    hand: int  # descriptor of the file with the input that is tried now
    tried: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str, str] = (0.0, "", "")  # seconds of CPU, sort, text
    grown: tuple[int, str] = (0, "")  # bytes, sort

    def one(self, sort: str, text: str) -> None:
        """Try one input. Raises Breach, and has written it down then."""
        self._take(text)
        try:
            found = self._try(text)
        except Hung:
            self._breach(text, f"{sort}: took more than {HUNG:g} s of CPU", traceback.format_exc())
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is the finding)
            self._breach(text, f"{sort}: raised {type(error).__name__}", traceback.format_exc())
        if found.seconds >= MOST_SECONDS:
            found = self._alone(found)
        self.tried[sort] += 1
        self.slowest = max(self.slowest, (found.seconds, sort, text))
        self.grown = max(self.grown, (found.grown, sort))
        if (what := _wrong(sort, found)) is not None:
            self._breach(text, f"{sort}: {what}")

    def _try(self, text: str) -> Tried:
        signal.setitimer(signal.ITIMER_PROF, HUNG)
        try:
            return trier(self.task.trier)(text, self.folder)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _alone(self, found: Tried) -> Tried:
        """What an input took that was slow here, with the time that it takes where nothing is instrumented."""
        alone = again(hand(self.task), self.task.trier)
        return replace(found, seconds=alone.seconds) if alone is not None else found

    def _take(self, text: str) -> None:
        """Leave the input where it is found when this process dies of it."""
        data = text.encode("utf-8", "surrogatepass")
        os.pwrite(self.hand, data, 0)
        os.ftruncate(self.hand, len(data))

    def _breach(self, text: str, what: str, trace: str = "") -> Never:
        write_breach(self.task, text.encode("utf-8", "surrogatepass"), what, trace)
        raise Breach(what)

    def write(self) -> None:
        """Put what was tried into the task's tally."""
        seconds, sort, text = self.slowest
        found: dict[str, Any] = {
            "inputs": dict(self.tried),
            "slowest": {"cpu_seconds": round(seconds, 3), "sort": sort},
            "slowest_text": text,
            "grown": {"bytes": self.grown[0], "sort": self.grown[1]},
        }
        tally(self.task).write_text(json.dumps(found), encoding="utf-8")


def begin(task: Task) -> Trials:
    """The trials of a task, ready for the first input."""
    files = ready(trier(task.trier), work(task) / "files")
    signal.signal(signal.SIGPROF, _hung)
    return Trials(task, files, os.open(hand(task), os.O_RDWR | os.O_CREAT | os.O_TRUNC))


def work(task: Task) -> Path:
    """The folder of the process's own files. Its path is no accident: it is compared, and so reaches counters."""
    return Path(task.out) / f"{task.sort}-{task.number}.work"


def hand(task: Task) -> Path:
    """The file of the input that is tried now."""
    return Path(task.out) / f"{task.sort}-{task.number}.input"


def tally(task: Task) -> Path:
    """The file of what was tried."""
    return Path(task.out) / f"{task.sort}-{task.number}.json"


def breach(task: Task) -> Path:
    """The file of the input that did what none may; what it did stands beside it, in `.txt`."""
    return Path(task.out) / f"breach-{task.sort}-{task.number}.xfer"


def write_breach(task: Task, text: bytes, what: str, trace: str = "") -> None:
    """Write an input and what it did."""
    path = breach(task)
    path.write_bytes(text)
    path.with_suffix(".txt").write_text(f"{what}\n{trace}", encoding="utf-8")


def _wrong(sort: str, found: Tried) -> str | None:
    """What is wrong with what came of an input, or None."""
    if found.seconds >= MOST_SECONDS * max(1, found.nodes / NODES):
        return f"took {found.seconds:.2f} s of CPU"
    if found.grown >= MOST_MEMORY:
        return f"took {found.grown / 2**20:.0f} MiB"
    if sort == "valid" and found.codes:
        return f"is valid by construction, and gives {', '.join(found.codes)}"
    return None


def _hung(_signal: int, _frame: object) -> None:
    raise Hung
