"""Every model of the library: small ones of the same architecture, with as many layers, at the published names."""

from __future__ import annotations

import huggingface_hub.constants
import pytest

import xfer
from compiler.architectures import ENCODERS
from compiler.bag import Bag
from compiler.declarations import Declarations
from compiler.pipeline import library, library_alone
from compiler.places import Places
from dsl.syntax import Declaration
from tests import mirrored
from tests.families import publish

pytestmark = pytest.mark.ml

XLMR, BERT = "xlm-roberta", "bert"
MODELS = {
    "xlmr-base": XLMR, "xlmr-large": XLMR, "xlmr-xl": "xlm-roberta-xl", "mbert": BERT, "distil-mbert": "distilbert",
    "mdeberta-v3-base": "deberta-v2", "rembert": "rembert", "me5-small": "bert, tokenizer of XLM-R", "me5-base": XLMR,
    "me5-large": XLMR, "mmbert-small": "modernbert", "mmbert-base": "modernbert", "labse": BERT, "glot500": XLMR,
    "afro-xlmr-large": XLMR, "arctic-embed-l": XLMR, "granite-embed-278m": XLMR,
}  # fmt: skip


def declared(name):
    """The model as the library has it."""
    declarations = Declarations(library_alone(), Places(mirrored.FIXTURES), Bag())
    return declarations.model(library()[name])


def chains(name):
    return (
        f"train-{name}: {name} -> copa(steps: 2, batch: 2, max-length: 64) @ xcopa[it]\n"
        f"find-{name}: {name} @ tatoeba[de](max-length: 64)\n"
    )


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The rows of one run over all models."""
    folder = tmp_path_factory.mktemp("models")
    cache, pinned = folder / "cache", {}
    for name, family in MODELS.items():
        found = declared(name)
        publish(family, folder / name, layers=found.size.layers)
        pinned[found.weights.name] = mirrored.publish_model(cache, found.weights.name, folder / name)
    data = [mirrored.fixture(n) for n in ("copa", "xcopa", "tatoeba")]
    mirrored.publish(cache, folder / "xfer.lock", data, pinned)
    spec = folder / "all.xfer"
    spec.write_text("".join(chains(name) for name in MODELS), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
        study = xfer.compile(spec, xfer.Options(store=folder / "store", device="cpu"), run=True)
        assert [] == [d.message for d in study.compiled.diagnostics if d.severity.value == "error"]
        report = xfer.run(study)
    assert [] == [(f.node.label, str(f.error)) for f in report.failed]
    return xfer.rows(study)[0]


def test_every_model_of_the_library_is_tried():
    found = {n for n, d in library().items() if isinstance(d, Declaration) and d.word == "model"}

    assert found == {*MODELS, "babel-mini"}
    assert {family.partition(",")[0] for family in MODELS.values()} <= set(ENCODERS)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_trains_scores_and_searches(scored, name):
    (trained,) = [r for r in scored if r.cell.experiment == f"train-{name}"]
    (searched,) = [r for r in scored if r.cell.experiment == f"find-{name}"]

    assert (3, 3) == (trained.n, searched.n)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_says_its_sizes_and_the_layer_of_its_vectors(name):
    found = declared(name)
    settings = {g.key: g.value for g in found.settings}

    assert found.size.layers and found.size.width and found.size.parameters and found.size.positions
    assert 0 < settings.get("layer", found.size.layers) <= found.size.layers
    assert {"layer", "prefix", "pool"} & settings.keys()
