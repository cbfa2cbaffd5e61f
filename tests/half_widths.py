"""The interval of docs/statistics.md, section 3, written out once more, for tests."""

import numpy as np
from scipy import stats


def half_width(values, level):
    """Of a mean over S seeds and I draws, (S, I), written out: runtime/evidence/components.py says what it is."""
    seeds, items = values.shape
    grand, of_seed, of_item = values.mean(), values.mean(axis=1), values.mean(axis=0)
    by_seed = ((of_seed - grand) ** 2).sum() / (seeds - 1) / seeds
    by_item = ((of_item - grand) ** 2).sum() / (items - 1) / items
    left = values - of_seed[:, None] - of_item[None, :] + grand
    rest = (left**2).sum() / ((seeds - 1) * (items - 1)) / (seeds * items)
    share = 1 - (1 - level) / 2
    of_seeds, of_items = stats.t.ppf(share, seeds - 1) ** 2, stats.t.ppf(share, items - 1) ** 2
    return np.sqrt(max(of_seeds * by_seed, of_items * rest) + of_items * max(by_item - rest, 0.0))
