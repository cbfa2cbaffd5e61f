"""Saved plans: `plan -o FILE` writes what would run, and `run FILE` runs nothing else or says what changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from runtime.errors import XferError
from xfer.opening import Options, UsageError
from xfer.render.document import FORMAT_VERSION
from xfer.render.messages import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.plan import Plan
    from runtime.preview import Preview
    from xfer.api import Study

_SHOWN = 5  # nodes that are named
_AGAIN = "make it again: `xfer plan SPEC -o FILE`"


class StalePlanError(XferError):
    """A saved plan that is no longer what would run."""


class Saved(Struct, frozen=True):
    """A plan as it was saved: what it was made of, and its nodes by key."""

    spec: Path
    options: Options
    labels: Mapping[str, str]  # of all nodes
    to_run: frozenset[str]


def request(study: Study) -> dict[str, Any]:
    """What a plan was made of, so that it can be made again."""
    said = study.options
    return {
        "spec": str(study.path.absolute()),
        "store": str(study.store_root.absolute()),
        "device": said.device,
        "on": said.on,
        "roots": {name: str(path.absolute()) for name, path in dict(said.roots).items()},
        "allow_path": [str(path.absolute()) for path in said.allowed],
        "set": list(said.settings),
        "experiment": said.experiment,
    }


def check_pinned(plan: Plan) -> None:
    """Raise UsageError for a plan with names that are not resolved: what it would run is not known yet."""
    open_ = sum(1 for n in plan.nodes if not n.pinned)
    if open_:
        raise UsageError(
            f"{counted(open_, 'node')} of this plan {'are' if open_ > 1 else 'is'} not pinned",
            "resolve its names first: `xfer lock SPEC`",
        )


def is_saved(path: Path) -> bool:
    """Whether a file is a saved plan, and no spec."""
    return path.suffix == ".json"


def read(path: Path) -> Saved:
    """The saved plan. Raises UsageError for a file that is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        major = int(str(found["format_version"]).partition(".")[0])
        if major != int(FORMAT_VERSION.partition(".")[0]):
            raise UsageError(f"`{path}` was saved by another version of xfer", _AGAIN)
        return _saved(found)
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"`{path}` is no saved plan", _AGAIN) from error


def _saved(found: dict[str, Any]) -> Saved:
    said = found["request"]
    if said["on"] is not None:
        raise UsageError(f"the plan was made for {said['on']}, to see what it would take", "plan without `--on`")
    options = Options(
        Path(said["store"]),
        said["device"],
        {name: Path(path) for name, path in said["roots"].items()},
        tuple(Path(path) for path in said["allow_path"]),
        tuple(said["set"]),
        said["experiment"],
    )
    nodes = {n["id"]: n for n in found["nodes"]}
    to_run = frozenset(key for key, n in nodes.items() if n["action"] not in ("cached", "unasked"))
    return Saved(Path(said["spec"]), options, {key: n["label"] for key, n in nodes.items()}, to_run)


def check_fresh(saved: Saved, study: Study, preview: Preview) -> None:
    """Raise StalePlanError where the study would now run something that the saved plan does not.

    What has been done since is no change: a run that was interrupted goes on with the same plan.
    """
    labels = {n.key[:12]: n.label for n in study.plan.nodes}
    new = [labels[key] for n in preview.to_run if (key := n.key[:12]) not in saved.to_run]
    gone = [label for key, label in saved.labels.items() if key not in labels]
    if not new and not gone:
        return
    told = [f"`{label}`" for label in dict.fromkeys([*new, *gone])]
    more = f" and {len(told) - _SHOWN:,} more" if len(told) > _SHOWN else ""
    changed = counted(max(len(new), len(gone)), "node")
    message = f"the plan is stale: {changed} changed since: {', '.join(told[:_SHOWN])}{more}"
    raise StalePlanError(message, f"make it again: `xfer plan {study.path} -o FILE`; `xfer why` tells why a node runs")
