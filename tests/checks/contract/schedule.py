"""Contract example of the check type schedule."""

from autograder.checks.schedule import ScheduleParams, rates

PARAMS = {"formula": "linear", "base_lr": 0.1, "steps": 6, "warmup": 2}
GOOD = {"schedule": {"lrs": rates("linear", ScheduleParams.model_validate(PARAMS), 1)}}
