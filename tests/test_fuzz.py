"""Twenty thousand inputs, the same every time: nothing is raised or takes long, and what is valid has no fault."""

import pytest

from tests.compiling import write_files
from tests.fuzzing import MOST_MEMORY, MOST_SECONDS, NODES, SORTS, tried

INPUTS = {"valid": 5000, "grammatical": 6000, "mutated": 8600, "hostile": 400}
CHUNK = 200
CHUNKS = [(sort, first) for sort, count in INPUTS.items() for first in range(0, count, CHUNK)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    write_files(folder)
    tried("m -> a", folder)  # what is loaded once counts for no input
    return folder


@pytest.mark.parametrize(("sort", "first"), CHUNKS)
def test_no_input_breaks_the_compiler(sort, first, files):
    """A failure names the sort and the seed: `tests.fuzzing.SORTS[sort](seed)` is the input."""
    for seed in range(first, first + CHUNK):
        try:
            found = tried(SORTS[sort](seed), files)
        except BaseException as error:
            raise AssertionError(f"{sort} {seed}") from error
        assert found.seconds < MOST_SECONDS * max(1, found.nodes / NODES), (sort, seed)
        assert found.grown < MOST_MEMORY, (sort, seed)
        assert sort != "valid" or found.codes == (), (sort, seed)


def test_twenty_thousand_inputs_are_tried_and_a_quarter_of_them_is_valid():
    assert 20_000 == sum(INPUTS.values())
    assert INPUTS["valid"] * 4 == sum(INPUTS.values())
