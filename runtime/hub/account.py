"""As whom, and whether at all, the hub is asked."""

from __future__ import annotations

import os

_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids to ask the hub."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def token_place() -> str | None:
    """Where the token for the hub comes from; None where there is none. The token itself is not told."""
    from huggingface_hub import constants, get_token

    if get_token() is None:
        return None
    return next((name for name in _VARIABLES if os.environ.get(name)), constants.HF_TOKEN_PATH)
