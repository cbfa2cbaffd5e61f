"""The hub: its address, whether it may be asked and answers, and whether there is a token. The token is never shown."""

from __future__ import annotations

from runtime.errors import MissingInput
from runtime.hub import account
from runtime.hub.reach import check_reachable, endpoint
from xfer.doctor.finding import Finding, note, ok, trouble

_MEND = (
    "mend the network or HF_ENDPOINT; studies of local data, and of what `xfer.lock` pins and the cache holds, "
    "need no hub (`xfer doctor --offline`)"
)


def examine(*, offline: bool) -> list[Finding]:
    """Whether models and data can be had from the hub; with `offline` it is not asked."""
    return [reached(offline=offline), token()]


def reached(*, offline: bool) -> Finding:
    """Whether the hub answers. Only what `xfer.lock` does not pin, or the cache not hold, needs it."""
    if account.is_offline():
        return note("hub", f"{endpoint()} is not asked: HF_HUB_OFFLINE is set", "unset it to read from the hub")
    if offline:
        return note("hub", f"{endpoint()} was not asked (`--offline`)")
    try:
        check_reachable()
    except MissingInput as error:
        return trouble("hub", str(error), _MEND)
    return ok("hub", f"{endpoint()} answers")


def token() -> Finding:
    """Where the token comes from that gated and private repositories need."""
    found = account.token_place()
    return ok("token", f"there is one, from {found}" if found else "none; only gated and private repositories need one")
