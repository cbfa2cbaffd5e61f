"""A step's batch is a pure function of (seed, step), and cutting it changes nothing but padding."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.ops import Limit
from runtime.batches import examples_at, hide, micro_batches, steps_per_epoch
from runtime.columns import Example, concatenate, read, write
from runtime.encoding import limited
from runtime.kinds.kind import IGNORED, Special

CPU = torch.device("cpu")
SPECIAL = Special(pad=1, mask=9, size=50, special=frozenset({0, 1, 2, 9}))


def columns(tmp_path, sizes, choices=2):
    """Examples whose tokens tell which example, choice and position they are of."""
    examples = [
        Example(
            row=100 + i,
            sequences=tuple([10 + i] * (size + c) for c in range(choices)),
            segments=tuple([0] * (size + c) for c in range(choices)),
            label=i % choices,
        )
        for i, size in enumerate(sizes)
    ]
    write(tmp_path, examples)
    return read(tmp_path)


@given(st.integers(1, 50), st.integers(1, 20), st.integers(0, 2**31), st.integers(0, 5))
def test_an_epoch_sees_every_example_once(examples, batch, seed, epoch):
    steps = steps_per_epoch(examples, batch)

    seen = [examples_at(epoch * steps + s, examples=examples, batch=batch, seed=seed) for s in range(steps)]

    assert list(range(examples)) == sorted(np.concatenate(seen).tolist())


def test_the_order_of_examples_never_changes_silently():
    """A change here changes what every stored training saw: raise the version of `Train` with it."""
    found = [examples_at(step, examples=10, batch=4, seed=1).tolist() for step in range(4)]

    assert GOLDEN_ORDER == found


GOLDEN_ORDER = [[7, 2, 4, 6], [1, 0, 3, 5], [9, 8], [1, 3, 7, 4]]


def test_epochs_and_seeds_differ(tmp_path):
    first = examples_at(0, examples=100, batch=100, seed=1).tolist()

    assert first != examples_at(1, examples=100, batch=100, seed=1).tolist()
    assert first != examples_at(0, examples=100, batch=100, seed=2).tolist()


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=12), budget=st.integers(1, 80))
def test_micro_batches_hold_every_example_once_within_the_budget(tmp_path_factory, sizes, budget):
    whole = columns(tmp_path_factory.mktemp("columns"), sizes)

    cuts = list(micro_batches(whole, budget, SPECIAL.pad, CPU))

    assert list(range(len(sizes))) == sorted(np.concatenate([c for c, _ in cuts]).tolist())
    for chosen, batch in cuts:
        assert len(chosen) == 1 or batch.tokens.numel() <= budget
        real = batch.attention.bool()
        assert (batch.tokens[~real] == SPECIAL.pad).all()
        owners = [t for i in chosen for c, t in enumerate([10 + i] * 2) for _ in range(sizes[i] + c)]
        assert owners == batch.tokens[real].tolist()
        assert [100 + i for i in chosen] == batch.rows.tolist()


def test_several_data_nodes_follow_one_another(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    a, b = columns(tmp_path / "a", [2, 3]), columns(tmp_path / "b", [4])

    both = concatenate([a, b])

    assert [3, 4, 5] == both.lengths.tolist()
    assert a.tokens.tolist() + b.tokens.tolist() == both.tokens.tolist()
    assert b.tokens.tolist() == both.take(np.array([2])).tokens.tolist()


def test_hidden_tokens_are_a_pure_function_of_seed_and_step(tmp_path):
    whole = columns(tmp_path, [200, 300], choices=1)

    one = hide(whole, 0.2, SPECIAL, seed=1, step=3)
    same = hide(whole, 0.2, SPECIAL, seed=1, step=3)
    other = hide(whole, 0.2, SPECIAL, seed=1, step=4)

    assert one.tokens.tolist() == same.tokens.tolist() != other.tokens.tolist()
    targets = one.targets
    hidden = targets != IGNORED
    assert 0.15 < hidden.mean() < 0.25
    assert 0.7 < (one.tokens[hidden] == SPECIAL.mask).mean() < 0.9
    assert (one.tokens[~hidden] == whole.tokens[~hidden]).all()
    assert (targets[hidden] == whole.tokens[hidden]).all()


def test_special_tokens_are_never_hidden(tmp_path):
    write(tmp_path, [Example(0, ([0, 2, 1, 9] * 50,), ([0] * 200,), -1)])

    targets = hide(read(tmp_path), 0.9, SPECIAL, seed=1, step=0).targets

    assert (targets == IGNORED).all()


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
def test_a_smaller_limit_keeps_a_subset_of_a_larger_one(rows, a, b):
    small, large = sorted((a, b))

    kept = limited(range(rows), Limit(small, "fixed"))

    assert set(kept) <= set(limited(range(rows), Limit(large, "fixed")))
    assert min(small, rows) == len(kept)
    assert sorted(kept) == kept


def test_a_limit_is_not_the_first_rows_unless_it_says_so():
    assert list(range(5)) == limited(range(100), Limit(5, "own"))
    assert list(range(5)) != limited(range(100), Limit(5, "fixed"))


@pytest.mark.parametrize("rows", [100, 101])
def test_the_fixed_order_depends_on_the_row_alone(rows):
    """Golden: a change moves every limited data set: raise the version of `Data` with it."""
    assert GOLDEN_LIMIT == limited(range(rows), Limit(5, "fixed"))


def test_rows_that_a_filter_drops_move_no_other_row_in_the_fixed_order():
    """Parallel languages of which one lacks rows go on sharing the others."""
    kept = [i for i in range(100) if i not in (7, 61)]

    assert [62, 73, 80] == [i for i in limited(kept, Limit(5, "fixed")) if i in GOLDEN_LIMIT]
    assert 5 == len(limited(kept, Limit(5, "fixed")))
    assert [0, 1, 3] == limited([0, 1, 3, 9], Limit(3, "own"))


GOLDEN_LIMIT = [7, 61, 62, 73, 80]
