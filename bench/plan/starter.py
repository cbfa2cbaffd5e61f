"""Start one process, wait for it, and print what it took: wall seconds, CPU seconds, KiB at the most, exit code.

    python -I -S starter.py LIMIT LOG WORD...

Linux counts the memory of whoever starts a process as that process's own. So this one imports next to nothing and holds
some 6 MiB; no figure is smaller. After LIMIT seconds all is killed that was started; what it says goes to LOG.
"""

import os
import signal
import sys
import time


def main(limit: float, log: str, words: list[str]) -> None:
    """Start, wait, tell."""
    started = time.perf_counter()
    child = os.fork()
    if not child:
        os.setsid()
        said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), said, said)):
            os.dup2(file, number)
        os.execvp(words[0], words)  # noqa: S606  (no shell is meant)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, limit)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
