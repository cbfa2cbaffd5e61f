"""Opening a spec: its text, the places it may read, the store, the device."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from shutil import which
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from compiler import codes, devices, pins
from compiler.pins import Pins
from compiler.pipeline import PACKAGE
from compiler.places import Places, Remembered, nothing_remembered
from compiler.plan import Device
from compiler.suggest import closest
from dsl.diagnostics import Diagnostic, Label
from dsl.source import Source, Span
from runtime.errors import XferError

EMBEDDED = PACKAGE / "runtime" / "world"
DEVICES = ("auto", "cpu", "cuda")
CONFIGURATION = "xfer.toml"
MOST_DEVICES = 4096
NO_SPEC = Path("spec.xfer")  # stands for one where none is given


class UsageError(XferError):
    """Wrong usage: a spec, an option or a configuration that cannot be read."""


class NotTextError(XferError):
    """A spec whose bytes are no text; `.diagnostic` shows the place."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message, diagnostic.hint)
        self.diagnostic = diagnostic


class Options(Struct, frozen=True):
    """What the command line, or a caller of the API, says about places and devices."""

    store: Path | None = None
    device: str = "auto"
    roots: Mapping[str, Path] | tuple[tuple[str, Path], ...] = ()
    allowed: tuple[Path, ...] = ()
    settings: tuple[str, ...] = ()  # `KEY=VALUE` or `NAME.KEY=VALUE`, over all that the spec says
    experiment: str | None = None  # the label of the only one that counts
    on: str | None = None  # `H100` or `4*H100`: what to plan for, instead of this machine
    look: str | None = None  # the task whose data are looked at

    def __post_init__(self) -> None:
        """Take texts for paths; raise UsageError for a device that is none."""
        if self.device not in DEVICES:
            raise UsageError(f"there is no device `{self.device}`", f"there is {', '.join(DEVICES)}")
        for stated in self.settings:
            if not stated.partition("=")[2]:
                raise UsageError(f"`{stated}` is no setting", "write `KEY=VALUE` or `NAME.KEY=VALUE`: `copa.lr=1e-5`")
        if self.store is not None:
            force_setattr(self, "store", Path(self.store))
        roots = {name: Path(path) for name, path in dict(self.roots).items()}
        force_setattr(self, "roots", tuple(roots.items()))
        force_setattr(self, "allowed", tuple(Path(path) for path in self.allowed))


def read_source(path: Path) -> Source:
    """A spec's text.

    Raises UsageError when there is no such file, NotTextError for bytes that are not UTF-8.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"there is no file `{path}`", _nearby(path)) from None
    except IsADirectoryError:
        raise UsageError(f"`{path}` is a folder, and a spec is a file", _nearby(path / "x")) from None
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from error
    return decoded(path, data)


def decoded(path: Path, data: bytes) -> Source:
    """The text of a spec whose bytes are `data`. Raises NotTextError for bytes that are not UTF-8."""
    try:
        return Source(str(path), data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotTextError(_not_text(path, data, error)) from None


def _not_text(path: Path, data: bytes, error: UnicodeDecodeError) -> Diagnostic:
    source = Source(str(path), data.decode("utf-8", errors="replace"))
    start = len(data[: error.start].decode("utf-8"))
    message = f"the file is not UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}"
    hint = "save it as UTF-8; if it is no spec at all, check the path"
    return Diagnostic(codes.NOT_TEXT, message, Label(Span(source, start, start + 1)), (), hint)


def _nearby(path: Path) -> str | None:
    names = [p.name for p in path.parent.glob("*.xfer")] if path.parent.is_dir() else []
    if (best := closest(path.name, names)) is not None:
        return f"did you mean `{path.parent / best}`?"
    return f"specs there: {', '.join(f'`{n}`' for n in sorted(names)[:8])}" if names else None


def configuration(spec: Path) -> tuple[dict[str, Any], Path]:
    """The nearest xfer.toml above a spec, and the folder it lies in; nothing when there is none."""
    for folder in Path(os.path.abspath(spec)).parents:  # noqa: PTH100  (links stay as written)
        path = folder / CONFIGURATION
        if path.is_file():
            try:
                return tomllib.loads(path.read_text(encoding="utf-8")), folder
            except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
                raise UsageError(f"`{path}` cannot be read: {error}") from error
    return {}, Path()


def store_root(spec: Path, options: Options) -> Path:
    """Where objects are kept."""
    return located_store(spec, options)[0]


def located_store(spec: Path, options: Options) -> tuple[Path, str]:
    """Where objects are kept, and what says so: `--store`, `$XFER_STORE`, xfer.toml, else the user's data folder."""
    if options.store is not None:
        return options.store, "--store"
    if stated := os.environ.get("XFER_STORE"):
        return Path(stated), "XFER_STORE"
    settings, folder = configuration(spec)
    if isinstance(stated := settings.get("store"), str):
        return folder / stated, str(folder / CONFIGURATION)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "xfer" / "store", "the user's data folder"


def default_store() -> Path:
    """The store where no spec is given: as for a spec in the working directory."""
    return store_root(NO_SPEC, Options())


def places(
    spec: Path,
    options: Options,
    remembered: Remembered = nothing_remembered,
    *,
    run: bool,
    pinned: bool = True,
) -> Places:
    """The folders that a spec may read, and unless not wanted what `xfer.lock` pins."""
    settings, folder = configuration(spec)
    stated = settings.get("root", {})
    if not isinstance(stated, dict) or not all(isinstance(v, str) for v in stated.values()):
        raise UsageError(f"`root` in {folder / CONFIGURATION} must be a table of folders", '[root]\nreal = "../data"')
    roots = {name: folder / path for name, path in stated.items()} | dict(options.roots)
    for name, path in roots.items():
        if not path.is_dir():
            raise UsageError(f"the root `@{name}` is no folder: {path}", "see `--root` and xfer.toml")
    return Places(
        spec.parent,
        roots,
        options.allowed,
        remembered,
        hash_big=run,
        embedded=EMBEDDED,
        pins=read_pins(spec) if pinned else Pins(),
    )


def lock_path(spec: Path) -> Path:
    """The lock file of a spec, and of all specs beside it."""
    return spec.parent / pins.NAME


def read_pins(spec: Path) -> Pins:
    """What the lock file pins; nothing where there is none. Raises UsageError for one that cannot be read."""
    path = lock_path(spec)
    try:
        return pins.read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Pins()
    except (OSError, ValueError) as error:
        hint = "remove it: `xfer lock` makes it again"
        raise UsageError(f"`{path}` cannot be read: {error}", hint) from error


def imagined(on: str) -> tuple[Device, int]:
    """The device that `H100` or `4*H100` names, and how many. Raises UsageError for one that is not in the table."""
    count, star, name = on.rpartition("*")
    if star and not (count.isdecimal() and 0 < int(count) <= MOST_DEVICES):
        raise UsageError(f"`{on}` is no number of devices", "write `4*H100`")
    peak = next((p for p in devices.PEAKS if p.name.lower() == name.lower()), None)
    if peak is None:
        known = ", ".join(f"`{p.name}`" for p in devices.PEAKS)
        raise UsageError(f"there is no device `{name}` in the table", f"it has {known}")
    return Device("cuda", peak.name, bf16=peak.bf16 is not None), int(count or 1)


def find_device(wanted: str) -> Device:
    """The device a plan is for, found without loading torch.

    Raises UsageError when CUDA is asked for and there is none.
    """
    if wanted == "cpu":
        return Device("cpu", "cpu", bf16=False)
    found = _cuda()
    if found is not None:
        return found
    if wanted == "cuda":
        raise UsageError("there is no CUDA device here", "leave `--device` out, or say `--device cpu`")
    return Device("cpu", "cpu", bf16=False)


def _cuda() -> Device | None:
    """The first NVIDIA device, by its driver's own tool."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    hidden = visible is not None and (not visible or visible.startswith(("-1", "NoDevFiles")))
    if hidden or (tool := which("nvidia-smi")) is None:
        return None
    query = [tool, "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603
        name, capability = answer.splitlines()[0].rsplit(",", 1)
        return Device("cuda", name.strip(), bf16=float(capability) >= 8)  # noqa: PLR2004
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
