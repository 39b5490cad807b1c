"""The grader spec as pydantic models: what a spec.yaml may say. Unknown keys are refused everywhere."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from autograder.checks.base import ArrayName, CaseList
from autograder.model import Lane, Trust, Visibility
from autograder.reseeding import Rule

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
SpecId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EntryPoint(_Model):
    """A name the student must define."""

    kind: Literal["model", "function", "value"] = Field(description="What the name must be.")
    names: tuple[str, ...] = Field(min_length=1, description="Accepted names, the official one first.")
    factories: tuple[str, ...] = Field((), description="Functions that build the model, tried after the names.")
    required: bool = Field(True, description="False: its absence fails no entry_points check.")
    parameters: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Its parameters in order: name → other names students may give it."
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="What a model is built with, by parameter: literals, or {array: NAME}."
    )


class SpecLimits(_Model):
    """What one submission may use. Wall time is per observation (see there)."""

    load_s: float = Field(30, gt=0, description="Wall seconds to load the submission.")
    wall_s: float = Field(30, gt=0, description="Wall seconds of an observation that names none.")
    cpu_s: float = Field(180, gt=0, description="CPU seconds of one student process.")
    memory_mb: int = Field(2048, ge=256, description="Memory of the student's processes together.")
    gpu_memory_mb: int | None = Field(
        None,
        ge=256,
        description="On lane gpu: memory of the card for its tensors. Default: the whole card.",
    )
    disk_mb: int = Field(256, ge=1, description="Disk space for files the submission writes.")
    processes: int = Field(64, ge=1, description="Processes and threads.")
    output_kb: int = Field(256, ge=1, description="What it may print.")


class RuntimeSpec(_Model):
    """What the student's process finds prepared."""

    preload: tuple[Literal["transformers"], ...] = Field(
        (), description="Packages that it finds imported already, which saves each submission seconds."
    )


class DataSpec(_Model):
    """The data builder beside the spec and the data sets it knows, best first."""

    builder: str = Field("data.py", description="Trusted Python file with build(name, data_dir, seed).")
    sets: tuple[Identifier, ...] = Field(
        ("standin",), description="Data set names; the first that can be built is used. 'standin' needs no folder."
    )


class Reseed(_Model):
    """When a result is too close to call, run again under new seeds: a sequential test with stated error rates."""

    max_runs: int = Field(9, ge=1, le=25, description="Runs at most, the first one included.")
    band: float = Field(
        0.25,
        gt=0,
        description="A result this near its limit is too close: a share of the limit, or of what is left to 1.",
    )
    right: float = Field(0.9, gt=0, lt=1, description="A submission that passes this share of runs is right.")
    wrong: float = Field(0.3, gt=0, lt=1, description="One that passes this share only is wrong.")
    right_fails: float = Field(0.01, gt=0, lt=0.5, description="A right one fails at most this often.")
    wrong_passes: float = Field(0.05, gt=0, lt=0.5, description="A wrong one passes at most this often.")
    clear_fail: bool = Field(
        True, description="False: a clear failure is run again too, where some seeds leave a right model at its start."
    )

    @model_validator(mode="after")
    def _keeps_its_word(self) -> Self:
        faults = self.rule().faults()
        if faults:
            raise ValueError(f"{'; '.join(faults)}: raise max_runs, or put right and wrong further apart")
        return self

    def rule(self) -> Rule:
        """The sequential test that this asks for."""
        return Rule(
            self.max_runs, self.band, self.right, self.wrong, self.right_fails, self.wrong_passes, self.clear_fail
        )


class _Observation(_Model):
    trust: ClassVar[Trust] = Trust.MEASURED  # of its values, where a check type does not say otherwise

    wall_s: float | None = Field(None, gt=0, description="Wall seconds; default: the spec's limit.")
    reseed: Reseed | None = Field(None, description="Run again under new seeds while a check on it is too close.")
    by_data: dict[Identifier, dict[str, Any]] = Field(
        default_factory=dict, description="Parameters that differ on a data set, by its name."
    )

    @model_validator(mode="after")
    def _fits_every_data_set(self) -> Self:
        for name in self.by_data:
            self.on(name)
        return self

    def on(self, data_name: str) -> Self:
        """The observation with the parameters in force on a data set."""
        changed = self.by_data.get(data_name)
        if changed is None:
            return self
        return type(self).model_validate({**self.model_dump(exclude={"by_data"}), **changed})


class _OfModel(_Observation):
    """What asks a model."""

    entry: Identifier = "model"
    pad: int | None = Field(
        None, description="Token id of padding: a forward with lengths, mask or token types gets them from the inputs."
    )


class Resolve(_Observation):
    """Look the entry points up."""

    trust: ClassVar[Trust] = Trust.REPORTED
    probe: Literal["resolve"]


class Construct(_Observation):
    """Build the model and list its parameters and modules (reported)."""

    trust: ClassVar[Trust] = Trust.REPORTED
    probe: Literal["construct"]
    entry: Identifier = "model"


class Forward(_OfModel):
    """Run the model on an array of the data set."""

    probe: Literal["forward"]
    inputs: ArrayName = Field(description="Array of the data set.")
    train: bool = Field(False, description="Run in train mode.")
    repeat: int = Field(1, ge=1, le=10, description="How many times, for determinism.")
    also_single: bool = Field(False, description="Run each row alone as well, for batch independence.")


class GradientNorms(_OfModel):
    """Gradient norm of every parameter after one backward pass of the cross entropy."""

    trust: ClassVar[Trust] = Trust.REPORTED
    probe: Literal["gradient_norms"]
    inputs: ArrayName
    targets: ArrayName


class Overfit(_OfModel):
    """Train a fresh model on one batch until it fits."""

    probe: Literal["overfit"]
    inputs: ArrayName
    targets: ArrayName
    steps: int = Field(60, ge=1)
    lr: float = Field(1e-3, gt=0)


class Train(_OfModel):
    """Train a fresh model and evaluate it on hidden inputs after every epoch."""

    probe: Literal["train"]
    function: Identifier | None = Field(None, description="The student's training function; none: the grader's loop.")
    inputs: ArrayName
    targets: ArrayName
    validation_inputs: ArrayName | None = None
    validation_targets: ArrayName | None = None
    evaluate: dict[str, ArrayName] = Field(default_factory=dict, description="Label → array of inputs to evaluate on.")
    epochs: int = Field(3, ge=1)
    batch_size: int = Field(32, ge=1)
    lr: float = Field(1e-3, gt=0)
    leftover: bool | None = Field(
        None,
        description="Also measure the gradient left after training, at the cost of eight more batches; default: if a "
        "check that judges it is there (loss_curve).",
    )

    @model_validator(mode="after")
    def _validates_on_both(self) -> Self:
        if (self.validation_inputs is None) != (self.validation_targets is None):
            raise ValueError("validation_inputs and validation_targets go together: give both, or none")
        return self


class Call(_Observation):
    """Call a function with arrays of the data set or literal values."""

    probe: Literal["call"]
    entry: Identifier
    arguments: tuple[Any, ...] = Field((), description="Literals, or {array: NAME}.")
    keywords: dict[str, Any] = Field(default_factory=dict)


class Calls(_Observation):
    """Call a function with every case of a list; one that fails or hangs loses no answer before it."""

    probe: Literal["calls"]
    entry: Identifier
    cases: CaseList = Field(description="Case list of the data set.")
    as_tensor: bool = Field(False, description="Give arrays as tensors.")
    keep_arguments: bool = Field(False, description="Also bring back the arguments as they are after each call.")


class Trace(_OfModel):
    """Which operations a forward pass runs, in order, functional calls included (reported)."""

    trust: ClassVar[Trust] = Trust.REPORTED
    probe: Literal["trace"]
    inputs: ArrayName
    train: bool = Field(False, description="Run in train mode.")


class Behave(_OfModel):
    """How a model differs between train and eval mode, what dropout does, how weights start."""

    trust: ClassVar[Trust] = Trust.REPORTED
    probe: Literal["behave"]
    inputs: ArrayName
    repeat: int = Field(8, ge=2, le=32, description="Passes in train mode.")


class Moves(_OfModel):
    """Which parameters some training steps move, and how far."""

    trust: ClassVar[Trust] = Trust.REPORTED
    probe: Literal["moves"]
    inputs: ArrayName
    targets: ArrayName
    function: Identifier | None = Field(None, description="The student's training function; none: the grader's loop.")
    steps: int = Field(3, ge=1, description="With a function: batches of each epoch.")
    epochs: int = Field(1, ge=1, description="With a function: passes over the data.")
    lr: float = Field(1e-3, gt=0)
    tail: int = Field(
        0,
        ge=0,
        description="If not 0, tell also how far the rows of matrices moved from this row on; for `still_tails`.",
    )


class Schedule(_Observation):
    """Follow the learning rate that the student's scheduler, or function of the step, puts in force."""

    probe: Literal["schedule"]
    entry: Identifier
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="Literals by parameter; optimizer, steps, warmup and base_lr are supplied."
    )
    base_lr: float = Field(0.1, gt=0, description="Learning rate of the optimizer the student is given; better not 1.")
    steps: int = Field(100, ge=1, le=20_000, description="Optimiser steps to follow, also the total that is named.")
    warmup: int = Field(0, ge=0, description="Warm-up steps that are named.")


class Source(_Observation):
    """The Python text of the upload, read by the judge; nothing is run."""

    probe: Literal["source"]


class Checkpoint(_OfModel):
    """Load a weights file of the upload into the model (reported; the outputs are measured)."""

    trust: ClassVar[Trust] = Trust.REPORTED
    probe: Literal["checkpoint"]
    file: str = Field(description="Pattern of its name, such as '*.pt'.")
    inputs: ArrayName | None = Field(None, description="Array to run the model on with these weights.")


class UsageOf(_Observation):
    """Time and memory that another observation used."""

    probe: Literal["usage"]
    of: Identifier = Field(description="The other observation.")


class Predict(_OfModel):
    """Predict with the student's function, or with the model."""

    probe: Literal["predict"]
    function: Identifier | None = None
    inputs: ArrayName
    batch_size: int = 64


ObservationSpec = Annotated[
    Resolve
    | Construct
    | Forward
    | GradientNorms
    | Overfit
    | Train
    | Call
    | Calls
    | Predict
    | Trace
    | Behave
    | Moves
    | Schedule
    | Source
    | Checkpoint
    | UsageOf,
    Field(discriminator="probe"),
]
PROBES: dict[str, Any] = {
    get_args(model.model_fields["probe"].annotation)[0]: model for model in get_args(get_args(ObservationSpec)[0])
}


class CheckSpec(_Model):
    """One check: what it judges, its points, and who sees it when."""

    id: Identifier = Field("", description="Unique in the spec; default: the type.")
    type: str = Field(description="A check type; `autograder check list` names them.")
    name: str = Field("", description="Title on the report; default: the check type's own.")
    observe: Identifier = Field(
        "", description="Which observation it judges; default: the only one it can judge, if there is only one."
    )
    also: dict[Identifier, Identifier] = Field(
        default_factory=dict, description="Other observations that the check type compares it with, by role."
    )
    points: float = Field(1.0, ge=0, description="What it is worth; default: 1, of feedback (resources) 0.")
    hint: str = Field("", description="What to try if it fails, said after the check type's own advice.")
    visibility: Visibility = Field(Visibility.VISIBLE, description="When students see its result.")
    params: dict[str, Any] = Field(default_factory=dict, description="`autograder check show TYPE` describes them.")
    by_data: dict[Identifier, dict[str, Any]] = Field(
        default_factory=dict, description="Parameters that differ on a data set, by its name."
    )


class Stage(_Model):
    """Checks run together. Order stages cheap to dear."""

    name: str = Field(description="Heading on the report.")
    stop_on_failure: bool = Field(False, description="If a check here fails, later stages are skipped.")
    checks: tuple[CheckSpec, ...] = Field(min_length=1)


class GraderSpec(_Model):
    """A whole grader spec, as written. The loader fills in what may be left out (see complete.py)."""

    id: SpecId = Field(description="The folder's name.")
    title: str = Field(description="What students see.")
    summary: str = Field("", description="One sentence below the title.")
    points: float = Field(0.0, gt=0, description="Default: the sum of the checks' points; if given, it must equal it.")
    lane: Lane = Field(Lane.CPU, description="Which workers grade it.")
    load: Literal["definitions", "run_all"] = Field(
        "definitions", description="definitions: imports, classes, functions and simple constants; run_all: every cell."
    )
    seed: int = Field(0, description="Seed of the data and of each probe.")
    limits: SpecLimits = SpecLimits()
    runtime: RuntimeSpec = RuntimeSpec()
    entry_points: dict[Identifier, EntryPoint] = Field(description="What a submission must define.")
    data: DataSpec | None = Field(None, description="Default: the set 'standin' of data.py, if that file is there.")
    observations: dict[Identifier, ObservationSpec] = Field(
        default_factory=dict, description="What the student's process is asked, by a name of your choice."
    )
    checks: tuple[CheckSpec, ...] = Field((), description="All checks, for a spec without stages.")
    stages: tuple[Stage, ...] = Field((), description="Groups of checks, cheap to dear.")
