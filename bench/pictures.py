"""Pictures of the terminal for the README, from what the program really prints.

    python -m bench.pictures

Runs `xfer plan`, `xfer run` and `xfer run` again on the quickstart in an empty store, in a pseudo-terminal.
"""

from __future__ import annotations

import os
import pty
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 130  # what the table of the quickstart needs


def screen(arguments: list[str], store: str) -> str:
    """What a terminal shows of one command, without the lines that a live view wrote over."""
    taken: list[bytes] = []

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        taken.append(data)
        return data

    os.environ |= {"XFER_STORE": store, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    program = [sys.executable, "-c", "from xfer.cli import entry; entry()", *arguments]
    pty.spawn(program, read)
    return _last_frames(b"".join(taken).decode("utf-8"))


def _last_frames(text: str) -> str:
    """Drop what was erased again: cursor movements and the lines before them."""
    kept: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        ups = len(re.findall(r"\x1b\[1A", line))
        if ups:
            del kept[max(0, len(kept) - ups) :]
        visible = re.sub(r"\x1b\[\?25[lh]|\x1b\[1A|\r", "", line.rsplit("\x1b[2K", 1)[-1])
        kept.append(visible)
    return "\n".join(kept).strip("\n")


def picture(name: str, shown: list[tuple[str, str]]) -> None:
    """One SVG of several commands and what they print."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, force_terminal=True, file=nowhere)
        for command, text in shown:
            console.print(Text(f"$ {command}", "bold"))
            console.print(Text.from_ansi(text))
            console.print()
        svg = console.export_svg(title="xfer")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # fonts from a foreign host
    (ROOT / "docs" / f"{name}.svg").write_text(svg, encoding="utf-8")


def main() -> None:
    """Write docs/plan.svg and docs/run.svg."""
    os.chdir(ROOT)
    spec = "specs/quickstart.xfer"
    with tempfile.TemporaryDirectory() as store:
        planned = screen(["plan", spec], store)
        ran = screen(["run", spec], store)
        again = screen(["run", spec], store)
    picture("plan", [(f"xfer plan {spec}", planned)])
    picture("run", [(f"xfer run {spec}", ran), (f"xfer run {spec}", _tail(again))])


def _tail(text: str) -> str:
    """The second run without the table that it shows again."""
    return "\n".join(line for line in text.split("\n") if "Plan:" in line or "Nothing to run" in line)


if __name__ == "__main__":
    main()
