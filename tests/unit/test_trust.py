"""Which results are marked as the student process's own word."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.checks import registry
from autograder.checks.base import Context
from autograder.config import settings
from autograder.model import Observation, Trust
from autograder.specs.loader import load_all
from autograder.specs.schema import PROBES

MEASURED, REPORTED = Trust.MEASURED, Trust.REPORTED


@pytest.mark.parametrize(
    ("kind", "probe", "params", "mark"),
    [
        ("accuracy", "train", {"targets": "labels", "min": 0.5}, MEASURED),
        ("allclose", "calls", {}, MEASURED),
        ("arguments_kept", "calls", {}, REPORTED),
        ("layers", "construct", {"linear": 1}, REPORTED),
        ("checkpoint", "checkpoint", {}, REPORTED),
        ("layer_behaviour", "behave", {"random_in_training": True}, MEASURED),
        ("layer_behaviour", "behave", {"dropout": 0.5}, REPORTED),
        ("layer_behaviour", "behave", {"batch_norms": 0}, REPORTED),
        ("layer_behaviour", "behave", {"init": {"conv": "xavier"}}, REPORTED),
        ("loss_curve", "train", {"targets": "labels"}, MEASURED),
        ("resources", "usage", {"max_seconds": 1}, MEASURED),
        ("resources", "usage", {"max_gpu_mb": 1}, REPORTED),
    ],
)
def test_a_mark_follows_from_where_the_numbers_come_from(
    kind: str, probe: str, params: dict[str, Any], mark: Trust
) -> None:
    check = registry.all_checks()[kind]
    observation = Observation(probe, trust=PROBES[probe].trust)
    assert check.trust(observation, Context(), check.Params.model_validate(params)) is mark


def test_one_reported_observation_among_several_makes_the_result_reported() -> None:
    check = registry.all_checks()["causality"]
    params = check.Params.model_validate({"position": 1})
    for beside in (MEASURED, REPORTED):
        context = Context(also={"changed": Observation("forward", trust=beside)})
        assert check.trust(Observation("forward"), context, params) is beside


def test_what_makes_a_result_reported_are_parameters_of_the_check() -> None:
    own = [check.check for spec in load_all(settings().specs_dir).values() for check in spec.checks]
    for check in [*registry.all_checks().values(), *own]:
        if isinstance(check.own_word, tuple):
            assert set(check.own_word) <= set(check.Params.model_fields), check.kind
