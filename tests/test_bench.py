"""What the benchmarks measure."""

from bench.study import write_study
from tests.compiling import counts
from xfer import api
from xfer.opening import Options


def test_a_study_is_a_model_trainings_and_evaluations(tmp_path):
    plan = api.compile(write_study(tmp_path, 900), Options(store=tmp_path / "store")).plan

    assert (1, 29, 110, 900, 900) == counts(plan)
    assert 900 == len(plan.cells)
