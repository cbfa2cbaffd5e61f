"""Whether the hub answers, and what its refusals mean."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.errors import MissingInput

PATIENCE = 3.0  # seconds for a first sign of life
_NEEDLESS = "what `xfer.lock` pins and the cache holds needs no hub, nor does a local copy: `dir(…)`, `files(…)`"
_OFFLINE = f"unset HF_HUB_OFFLINE to ask it; {_NEEDLESS}"
_GONE = f"go on when it is back; {_NEEDLESS}"


def endpoint() -> str:
    """The hub's address."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def check_reachable() -> None:
    """Raise MissingInput within PATIENCE seconds when the hub gives no answer, or must not be asked."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise MissingInput("the hub is not asked: HF_HUB_OFFLINE is set", _OFFLINE)
    failure = ["no answer within 3 seconds"]
    asking = threading.Thread(target=_ask, args=(failure,), daemon=True)  # a name server may be silent for long
    asking.start()
    asking.join(PATIENCE)
    if failure:
        raise MissingInput(f"the hub {endpoint()} cannot be reached: {failure[0]}", _GONE)


def _ask(failure: list[str]) -> None:
    """Empty `failure` when the hub answers; else say why not."""
    from huggingface_hub import get_session

    try:
        status = get_session().head(f"{endpoint()}/api/models", timeout=PATIENCE).status_code
    except Exception as error:  # noqa: BLE001  (of whichever library carries the session)
        failure[:] = [str(error) or type(error).__name__]
        return
    if status >= 500:  # noqa: PLR2004
        failure[:] = [f"it answers with status {status}"]
    else:
        failure.clear()


@contextmanager
def refusals(repository: str, sort: str) -> Iterator[None]:
    """What the hub refuses inside becomes a MissingInput that says the way out."""
    from huggingface_hub import errors

    page = f"{endpoint()}/{'datasets/' if sort == 'dataset' else ''}{repository}"
    try:
        yield
    except errors.GatedRepoError as error:
        hint = f"ask for access at {page}, and set HF_TOKEN to a token of the account that has it"
        raise MissingInput(f"`{repository}` is gated: its owners let in whom they choose", hint) from error
    except errors.RevisionNotFoundError as error:
        raise MissingInput(f"`{repository}` has no such revision", f"its history stands at {page}/commits") from error
    except errors.RepositoryNotFoundError as error:
        raise MissingInput(f"the hub has no {sort} `{repository}`, or not for you", _token_hint()) from error
    except errors.EntryNotFoundError as error:
        raise MissingInput(f"`{repository}` lacks a file: {_first_line(error)}", None) from error
    except errors.HFValidationError as error:
        raise MissingInput(f"`{repository}` is no name of a repository: {_first_line(error)}") from error
    except Exception as error:
        if not isinstance(error, (*_of_the_network(), OSError)):
            raise
        raise MissingInput(f"`{repository}` cannot be read from the hub: {_first_line(error)}", _GONE) from error


def _of_the_network() -> tuple[type[Exception], ...]:
    """What the library under the hub's own raises: the hub's errors are of its kind, whatever it is called."""
    from huggingface_hub.errors import HfHubHTTPError

    return tuple(c for c in HfHubHTTPError.__mro__ if issubclass(c, Exception) and "http" in c.__module__.split(".")[0])


def _token_hint() -> str:
    if os.environ.get("HF_TOKEN"):
        return "is the name right? If it is private, HF_TOKEN must be a token that may read it"
    return "is the name right? If it is private, set HF_TOKEN to a token that may read it"


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
