"""xfer: a declarative experiment language for the study of cross-lingual transfer.

import xfer

study = xfer.compile("specs/quickstart.xfer")
report = xfer.run(study)
rows, missing = xfer.rows(study)
"""

from typing import TYPE_CHECKING, Any

from xfer.api import SpecError, Study, compile, rows  # noqa: A004
from xfer.opening import Options

if TYPE_CHECKING:
    from xfer.locking import lock
    from xfer.running import Running, run

__all__ = ["Options", "Running", "SpecError", "Study", "compile", "lock", "rows", "run"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """What running needs is loaded when it is asked for: `plan` answers at once."""
    if name in ("Running", "run"):
        from xfer import running

        return getattr(running, name)
    if name == "lock":
        from xfer import locking

        return locking.lock
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
