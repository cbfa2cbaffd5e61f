"""xfer: a declarative experiment language for the study of cross-lingual transfer.

import xfer

study = xfer.compile("specs/quickstart.xfer")
report = xfer.run(study)
rows, missing = xfer.rows(study)
"""

from xfer.api import SpecError, Study, compile, rows, run  # noqa: A004
from xfer.opening import Options

__all__ = ["Options", "SpecError", "Study", "compile", "rows", "run"]
