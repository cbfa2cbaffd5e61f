"""Tables on both sides of the import rule say the same."""

import pytest
from msgspec.structs import asdict

from compiler import catalog, embedded
from runtime import world


def test_the_compilers_world_is_the_runtimes():
    assert world.VERSION == embedded.WORLD_VERSION
    assert tuple(world.LANGUAGES) == embedded.WORLD_LANGUAGES
    assert {t: dict(s) for t, s in world.TASKS.items()} == {t: dict(s) for t, s in embedded.WORLD_TASKS.items()}
    defaults = {key.replace("-", "_"): rule.default for key, rule in embedded.WORLD_PARAMETERS.items()}
    assert asdict(world.World()) == defaults


@pytest.mark.ml
def test_every_kind_that_the_language_offers_is_the_runtimes():
    from runtime.kinds import kinds

    assert list(catalog.KINDS) == list(kinds())
    for name, kind in kinds().items():
        offered = catalog.KINDS[name]
        assert (name, offered.fields, offered.required) == (kind.name, kind.fields, kind.required)
        assert list(offered.metrics) == list(kind.metrics) == list(kind.items)
        assert kind.masks == ("mask" in offered.settings)
        assert bool(offered.baselines) == ("baselines" in offered.settings)
        assert (kind.threshold is not None) == ("threshold" in offered.settings)
        assert any(m.has_threshold for m in offered.metrics.values()) == (kind.threshold is not None)


def test_every_baseline_that_the_language_offers_can_be_computed_and_no_other():
    from runtime.baselines import METHODS

    assert set(catalog.SETTINGS["baselines"].words) == set(METHODS)
    for name, kind in catalog.KINDS.items():
        assert set(kind.baselines) == {method for method, by_kind in METHODS.items() if name in by_kind}


def test_every_setting_reaches_an_op_or_a_kind():
    """Nothing is ignored in silence: a setting is a field of an op, or refused where it is not built yet."""

    from compiler.ops import Data, Predict, Train, Vectors

    known = {name.replace("_", "-") for op in (Data, Train, Predict, Vectors) for name in op.__struct_fields__} | {
        "epochs",
        "steps",
        "seeds",
        "baselines",  # a node for each
        "select",  # the field `keep`
        "degenerate",  # the field `restarts`, and which cells count
        "threshold",  # of the ops of scores
    }
    only_one_value = {k for k, r in catalog.SETTINGS.items() if len(r.words) == 1 and not r.later and r.sort == "word"}
    own = {"stride", "max-query", "max-answer", "n-best", "null-threshold"}  # the field `own` of data and predictions

    assert set(catalog.SETTINGS) <= known | only_one_value | own
