"""Reads grader specs: YAML to models, with errors that name file, line, column and what to do."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from autograder.checks import registry
from autograder.checks.base import Check, Params
from autograder.errors import SpecError
from autograder.model import Visibility
from autograder.specs import calibration, kept
from autograder.specs.complete import complete, entries
from autograder.specs.data_rules import check_data, check_params, named
from autograder.specs.dataset import DataSet
from autograder.specs.folder import digest_of, line_in, load_module
from autograder.specs.schema import CheckSpec, GraderSpec, Train, UsageOf
from autograder.specs.shown import note_use
from autograder.specs.source import Marks, Where, read_yaml, spec_error, suggest

Builder = Callable[[str, Path | None, int], DataSet | None]
# A full disk, no descriptors or memory left, a device that did not answer: of the machine, not of the builder's code.
_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO})
OWN_CHECKS = "checks.py"  # check types for one spec alone


@dataclass(frozen=True)
class LoadedCheck:
    """A check of a spec, ready to judge."""

    spec: CheckSpec
    stage: str
    check: Check
    params: Params
    by_data: Mapping[str, Params] = field(default_factory=dict)
    where: Where = ()  # in spec.yaml
    calibrated: frozenset[str] = frozenset()  # parameters that come from a calibration
    uncalibrated: frozenset[str] = frozenset()  # data sets on which they have no value

    @property
    def title(self) -> str:
        """What a report calls it."""
        return self.spec.name or self.check.title

    def params_for(self, data_name: str) -> Params:
        """The parameters in force on a data set."""
        return self.by_data.get(data_name, self.params)


@dataclass(frozen=True)
class LoadedSpec:
    """A spec with its checks bound and its folder known.

    digest: SHA-256 over the folder's files without the handout. marks: where its keys stand in spec.yaml.
    """

    spec: GraderSpec
    folder: Path
    digest: str
    checks: tuple[LoadedCheck, ...]
    marks: Marks = field(default_factory=lambda: Marks({}, {}), repr=False, compare=False)

    def build_data(self, data_dir: Path | None, seed: int, only: str | None = None) -> DataSet:
        """Build the first data set that can be built (or the one named `only`). Raises SpecError if none can."""
        if self.spec.data is None:
            return DataSet("none")
        builder = self._builder(self.spec.data.builder)
        for name in [only] if only else self.spec.data.sets:
            with kept.building(self.digest):
                data = self._built(builder, name, data_dir, seed)
                if data is not None:
                    note_use(data)
            if data is not None:
                _check_data(self.on(data.name), data)
                return data
        names = only or ", ".join(self.spec.data.sets)
        raise SpecError(
            f"{self.folder / self.spec.data.builder}: could not build any of: {names}",
            "Set AUTOGRADER_DATA_DIR to the folder of the data, or list 'standin' in data.sets.",
        )

    def _built(self, builder: Builder, name: str, data_dir: Path | None, seed: int) -> DataSet | None:
        """What the builder returns. Raises SpecError with the line if it raises, or returns something else."""
        path = self.folder / self.spec.data.builder if self.spec.data else self.folder
        try:
            data = builder(name, data_dir, seed)
        except (SpecError, MemoryError):  # the machine's trouble may be over at the next try
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _PASSING:
                raise
            raise SpecError(
                f"{path}:{line_in(path, error)}: build('{name}') raised {type(error).__name__}: {error}",
                "Repair it; return None for a data set that can't be built here.",
            ) from error
        if data is not None and not isinstance(data, DataSet):
            raise SpecError(
                f"{path}: build('{name}') returned a {type(data).__name__}, no DataSet",
                "Return DataSet(name, …), or None if this data set can't be built; see docs/writing-a-spec.md.",
            )
        return data

    def on(self, data_name: str) -> LoadedSpec:
        """The spec with its observations as they are on a data set."""
        observations = {name: observation.on(data_name) for name, observation in self.spec.observations.items()}
        return replace(self, spec=self.spec.model_copy(update={"observations": observations}))

    def place(self, where: Where) -> str:
        """`path:line:column` of a value in spec.yaml."""
        return f"{self.folder / 'spec.yaml'}:{self.marks.value(where)}"

    def _builder(self, file: str) -> Builder:
        build = getattr(load_module(self.folder, file, self.digest), "build", None)
        if build is None:
            raise SpecError(
                f"{self.folder / file}: has no function build(name, data_dir, seed)",
                "Add it; see docs/writing-a-spec.md.",
            )
        return build  # type: ignore[no-any-return]


def load_spec(folder: Path, *, calibrating: bool = False) -> LoadedSpec:
    """Load `folder`/spec.yaml. Raises SpecError naming file, line, column, what is wrong and what to do.

    calibrating: thresholds that are still to be measured get a value that will do until then.
    """
    path = folder / "spec.yaml"
    try:
        tree, marks = read_yaml(path)
    except OSError as error:
        raise SpecError(
            f"{path}: can't be read ({error.strerror})",
            "Is the spec id right? "
            + suggest(folder.name, [p.name for p in folder.parent.glob("*/") if (p / "spec.yaml").exists()]),
        ) from error
    try:
        written = GraderSpec.model_validate(tree)
    except ValidationError as error:
        raise spec_error(path, error, marks, GraderSpec) from error
    if written.id != folder.name.removeprefix("_"):
        raise SpecError(
            f"{path}:{marks.value(('id',))}: id is '{written.id}' but the folder is '{folder.name}'",
            "Give both the same name.",
        )
    digest = digest_of(folder)
    known = _known_checks(folder, digest)
    spec = complete(path, written, marks, known)
    _check_names(path, spec, written, marks)
    filled = [check for stage in spec.stages for check in stage.checks]
    checks = tuple(
        _bind(_Place(path, spec, marks, where, calibrating), stage, check, known[check.type])
        for (where, stage, _), check in zip(entries(written), filled, strict=True)
    )
    return LoadedSpec(spec, folder, digest, checks, marks)


def load_all(specs_dir: Path) -> dict[str, LoadedSpec]:
    """Every spec below a folder by id; folders starting with '_' are left out."""
    folders = sorted(p.parent for p in specs_dir.glob("*/spec.yaml") if not p.parent.name.startswith("_"))
    return {folder.name: load_spec(folder) for folder in folders}


def _known_checks(folder: Path, digest: str) -> dict[str, Check]:
    """Check types that a spec may name: the common ones and those of its own checks.py."""
    known = dict(registry.all_checks())
    if not (folder / OWN_CHECKS).is_file():
        return known
    for check in registry.defined_in(load_module(folder, OWN_CHECKS, digest)):
        if check.kind in known:
            raise SpecError(
                f"{folder / OWN_CHECKS}: there is a check type '{check.kind}' already", "Give yours another `kind`."
            )
        known[check.kind] = check
    return known


@dataclass(frozen=True)
class _Place:
    """A check's entry in a spec that is being loaded."""

    path: Path
    spec: GraderSpec
    marks: Marks
    where: Where
    calibrating: bool


def _bind(place: _Place, stage: str, entry: CheckSpec, check: Check) -> LoadedCheck:
    """A complete check entry with its parameters read, also those of single data sets."""
    path, spec, marks, where = place.path, place.spec, place.marks, place.where
    sets = spec.data.sets if spec.data else ()
    for name in entry.by_data:
        _need_set(f"{path}:{marks.key((*where, 'by_data', name))}", name, sets)
    by_data, missing = {}, set()
    calibrated = set(calibration.references(entry.params))
    params = None if calibrated else _params(path, marks, (*where, "params"), check, entry.params)
    for name in sets:
        override = entry.by_data.get(name, {})
        values = {**entry.params, **override}
        here = (*where, "by_data", name) if override else (*where, "params")
        if calibration.references(values):
            calibrated |= set(calibration.references(values))
            found = calibration.read(path.parent, name, spec.lane)
            try:
                values = calibration.resolved(values, found, calibrating=place.calibrating)
            except SpecError as error:
                if found is not None:
                    raise SpecError(f"{path}:{marks.key(here)}: {error.message}", error.hint) from error
                missing.add(name)
                continue
        elif not override:
            continue
        by_data[name] = _params(path, marks, here, check, values)
    if missing and not by_data:
        raise SpecError(
            f"{path}:{marks.key((*where, 'params'))}: '{entry.id}' has a calibrated threshold, but no data set has a "
            "calibration",
            f"Run: {calibration.command(spec.id)} — or write {{calibrated: KEY, else: NUMBER}}.",
        )
    params = params or next(iter(by_data.values()))
    _check_labels(place, entry, params)
    kept = MappingProxyType(by_data)
    return LoadedCheck(entry, stage, check, params, kept, where, frozenset(calibrated), frozenset(missing))


def _check_labels(place: _Place, entry: CheckSpec, params: Params) -> None:
    """What a check calls a label must be evaluated by the training it judges."""
    observed = place.spec.observations[entry.observe]
    if not isinstance(observed, Train):
        return
    for keys, label in named(params, "label"):
        if label not in observed.evaluate:
            raise SpecError(
                f"{place.path}:{place.marks.value((*place.where, 'params', *keys))}: '{entry.observe}' evaluates "
                f"nothing that is called '{label}'",
                suggest(label, observed.evaluate),
            )


def _params(path: Path, marks: Marks, here: Where, check: Check, values: Mapping[str, Any]) -> Params:
    try:
        return check.Params.model_validate(values)
    except ValidationError as error:
        raise spec_error(path, error, marks, check.Params, here) from error


def _check_names(path: Path, spec: GraderSpec, written: GraderSpec, marks: Marks) -> None:
    """Ids and stage names are unique; entry points that observations name are there."""
    seen: set[str] = set()
    filled = [check for stage in spec.stages for check in stage.checks]
    for (where, _, _), check in zip(entries(written), filled, strict=True):
        if check.id in seen:
            raise SpecError(
                f"{path}:{marks.key(where)}: two checks are called '{check.id}'", "Give each check its own id."
            )
        seen.add(check.id)
        stage = next(s for s in spec.stages if check in s.checks)
        if stage.stop_on_failure and stage != spec.stages[-1]:
            _check_stops(path, check, marks, where)
    stages = [stage.name for stage in spec.stages]
    for index, name in enumerate(stages):
        if name in stages[:index]:
            raise SpecError(
                f"{path}:{marks.value(('stages', index, 'name'))}: two stages are called '{name}'",
                "Give each stage its own name.",
            )
    sets = spec.data.sets if spec.data else ()
    for name, observation in spec.observations.items():
        for data_name in observation.by_data:
            _need_set(f"{path}:{marks.key(('observations', name, 'by_data', data_name))}", data_name, sets)
        if isinstance(observation, UsageOf):
            others = [n for n, o in spec.observations.items() if not isinstance(o, UsageOf)]
            if observation.of not in others:
                raise SpecError(
                    f"{path}:{marks.value(('observations', name, 'of'))}: there is no other observation "
                    f"'{observation.of}'",
                    suggest(observation.of, others),
                )
        for key in ("entry", "function"):
            entry = getattr(observation, key, None)
            if entry is not None and entry not in spec.entry_points:
                raise SpecError(
                    f"{path}:{marks.value(('observations', name, key))}: no entry point is called '{entry}'",
                    suggest(entry, spec.entry_points),
                )


def _check_stops(path: Path, check: CheckSpec, marks: Marks, where: Where) -> None:
    """What decides whether later stages are run: students see it, and it counts (docs/decisions/0012)."""
    if check.visibility is not Visibility.VISIBLE:
        raise SpecError(
            f"{path}:{marks.key((*where, 'visibility'))}: students would see whether '{check.id}' passed, because "
            "its stage stops on failure",
            "Move it into a later stage, or make it visible.",
        )
    if check.points <= 0:
        raise SpecError(
            f"{path}:{marks.key((*where, 'points'))}: '{check.id}' has no points, but would stop all later stages, "
            "because its stage stops on failure",
            "Give it points (a tenth is enough), or move it into a stage that doesn't stop.",
        )


def _need_set(place: str, name: str, sets: Sequence[str]) -> None:
    if name not in sets:
        raise SpecError(f"{place}: no data set is called '{name}'", suggest(name, sets))


def _check_data(loaded: LoadedSpec, data: DataSet) -> None:
    """Everything that observations and checks name must exist, and what is sent may be sent."""
    check_data(loaded.spec, data, loaded.place)
    for check in loaded.checks:
        if data.name in check.uncalibrated:
            raise SpecError(
                f"{loaded.place((*check.where, 'params'))}: '{check.spec.id}' has no calibration on '{data.name}'",
                f"Run: {calibration.command(loaded.spec.id)} --data {data.name}",
            )
        called = getattr(loaded.spec.observations[check.spec.observe], "cases", "")
        check_params(check.params_for(data.name), called, data, partial(_param_place, loaded, check, data.name))


def _param_place(loaded: LoadedSpec, check: LoadedCheck, data_name: str, keys: Where) -> str:
    """Where a check's parameter stands that is in force on a data set."""
    override = (*check.where, "by_data", data_name, *keys)
    return loaded.place(override if override in loaded.marks.keys else (*check.where, "params", *keys))
