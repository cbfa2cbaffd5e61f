"""Tables on both sides of the import rule say the same."""

import pytest
from msgspec.structs import asdict

from compiler import catalog, keys
from runtime import world


def test_the_compilers_world_is_the_runtimes():
    assert world.VERSION == catalog.WORLD_VERSION
    assert tuple(world.LANGUAGES) == catalog.WORLD_LANGUAGES
    assert {t: dict(s) for t, s in world.TASKS.items()} == {t: dict(s) for t, s in catalog.WORLD_TASKS.items()}
    defaults = {key.replace("-", "_"): rule.default for key, rule in catalog.WORLD_PARAMETERS.items()}
    assert asdict(world.World()) == defaults


@pytest.mark.ml
def test_every_kind_that_the_language_offers_can_run_and_no_other():
    from runtime.kinds import kinds

    offered = {n: k for n, k in catalog.KINDS.items() if k.available}

    assert set(offered) == set(kinds())
    for name, kind in kinds().items():
        fields = tuple(f for f in offered[name].fields if f not in offered[name].later)
        assert (fields, offered[name].required) == (kind.fields, kind.required)
        assert set(offered[name].metrics) - set(offered[name].later) == set(kind.metrics)
        assert set(kind.metrics) <= set(keys.METRIC_VERSION)
        assert kind.masks == ("mask" in offered[name].settings)


def test_every_baseline_that_the_language_offers_can_be_computed_and_no_other():
    from runtime.baselines import METHODS

    assert set(catalog.SETTINGS["baselines"].words) == set(METHODS)


def test_every_setting_reaches_an_op_or_a_kind():
    """Nothing is ignored in silence: a setting is a field of an op, or refused where it is not built yet."""

    from compiler.ops import Data, Predict, Train, Vectors

    known = {name.replace("_", "-") for op in (Data, Train, Predict, Vectors) for name in op.__struct_fields__} | {
        "epochs",
        "steps",
        "seeds",
        "baselines",  # a node for each
        "select",  # the field `keep`
    }
    only_one_value = {k for k, r in catalog.SETTINGS.items() if len(r.words) == 1 and not r.later and r.sort == "word"}
    own = {"stride", "max-query", "max-answer", "n-best", "null-threshold"}  # the field `own` of data and predictions

    assert set(catalog.SETTINGS) <= known | only_one_value | own
