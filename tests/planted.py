"""Compilers with bugs, for the tests of the fuzzer."""

import os
import time

from tests import fuzzing
from tests.fuzzing import Tried


def tried(text, folder):
    """What comes of a text, but an exception where a bracket is not closed."""
    found = fuzzing.tried(text, folder)
    if "X0103" in found.codes:
        raise RecursionError("planted")
    return found


def told(text, folder):
    """What the text tells it to do: `raise`, `hang`, `die`, `slow`, `large`, `fault`."""
    match text:
        case "raise":
            raise KeyError(text)
        case "hang":
            until = time.process_time() + 60
            while time.process_time() < until:
                pass
        case "die":
            os._exit(9)
        case "slow":
            return Tried((), 1.5, 0)
        case "large":
            return Tried((), 0.0, 300 * 2**20)
        case "fault":
            return Tried(("X0301",), 0.0, 0)
    return Tried((), 0.01, 5)
