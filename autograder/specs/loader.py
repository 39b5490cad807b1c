"""Reads grader specs: YAML to models, with errors that name file, line and what to do."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from autograder.checks import registry
from autograder.checks.base import Check, Params
from autograder.errors import SpecError
from autograder.specs.dataset import DataSet
from autograder.specs.schema import CheckSpec, GraderSpec
from autograder.specs.source import Marks, parse, spec_error, suggest

Builder = Callable[[str, Path | None, int], DataSet | None]


@dataclass(frozen=True)
class LoadedCheck:
    """A check of a spec, ready to judge."""

    spec: CheckSpec
    stage: str
    check: Check
    params: Params
    by_data: Mapping[str, Params] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What a report calls it."""
        return self.spec.name or self.check.title

    def params_for(self, data_name: str) -> Params:
        """The parameters in force on a data set."""
        return self.by_data.get(data_name, self.params)


@dataclass(frozen=True)
class LoadedSpec:
    """A spec with its checks bound and its folder known. digest: SHA-256 over the folder's spec.yaml and builder."""

    spec: GraderSpec
    folder: Path
    digest: str
    checks: tuple[LoadedCheck, ...]

    def build_data(self, data_dir: Path | None, seed: int, only: str | None = None) -> DataSet:
        """Build the first data set that can be built (or the one named `only`). Raises SpecError if none can."""
        if self.spec.data is None:
            return DataSet("none")
        builder = _builder(self.folder / self.spec.data.builder)
        for name in [only] if only else self.spec.data.sets:
            data = builder(name, data_dir, seed)
            if data is not None:
                _check_data(self, data)
                return data
        names = only or ", ".join(self.spec.data.sets)
        raise SpecError(
            f"{self.folder / self.spec.data.builder}: could not build any of: {names}",
            "Set AUTOGRADER_DATA_DIR to the folder of the data, or list 'standin' in data.sets.",
        )


def load_spec(folder: Path) -> LoadedSpec:
    """Load `folder`/spec.yaml. Raises SpecError naming file, line, what is wrong and what to do."""
    path = folder / "spec.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SpecError(
            f"{path}: can't be read ({error.strerror})",
            "Is the spec id right? "
            + suggest(folder.name, [p.name for p in folder.parent.glob("*/") if (p / "spec.yaml").exists()]),
        ) from error
    tree, marks = parse(path, text)
    try:
        spec = GraderSpec.model_validate(tree)
    except ValidationError as error:
        raise spec_error(path, error, marks, GraderSpec) from error
    if spec.id != folder.name:
        raise SpecError(
            f"{path}:{marks.line(('id',))}: id is '{spec.id}' but the folder is '{folder.name}'",
            "Give both the same name.",
        )
    checks = tuple(
        _bind(path, spec, marks, s, c) for s in range(len(spec.stages)) for c in range(len(spec.stages[s].checks))
    )
    _check_whole(path, spec, marks)
    return LoadedSpec(spec, folder, _digest(folder, spec), checks)


def load_all(specs_dir: Path) -> dict[str, LoadedSpec]:
    """Every spec below a folder by id; folders starting with '_' are left out."""
    folders = sorted(p.parent for p in specs_dir.glob("*/spec.yaml") if not p.parent.name.startswith("_"))
    return {folder.name: load_spec(folder) for folder in folders}


def _bind(path: Path, spec: GraderSpec, marks: Marks, stage: int, index: int) -> LoadedCheck:
    entry = spec.stages[stage].checks[index]
    here: tuple[str | int, ...] = ("stages", stage, "checks", index)
    line = marks.line(here)
    check = registry.find(entry.type)
    if check is None:
        raise SpecError(
            f"{path}:{marks.line((*here, 'type'))}: unknown check type '{entry.type}'",
            suggest(entry.type, registry.names()),
        )
    if entry.observe not in spec.observations:
        raise SpecError(
            f"{path}:{marks.line((*here, 'observe'))}: no observation is called '{entry.observe}'",
            suggest(entry.observe, spec.observations),
        )
    probe = spec.observations[entry.observe].probe
    if probe not in check.probes:
        raise SpecError(
            f"{path}:{line}: check '{entry.type}' can't judge a '{probe}' observation",
            f"It judges: {', '.join(sorted(check.probes))}.",
        )
    params = _params(path, marks, (*here, "params"), check, entry.params)
    by_data = {}
    for name, override in entry.by_data.items():
        if spec.data is None or name not in spec.data.sets:
            raise SpecError(
                f"{path}:{marks.line((*here, 'by_data', name))}: no data set is called '{name}'",
                suggest(name, spec.data.sets if spec.data else []),
            )
        by_data[name] = _params(path, marks, (*here, "by_data", name), check, {**entry.params, **override})
    return LoadedCheck(entry, spec.stages[stage].name, check, params, MappingProxyType(by_data))


def _params(path: Path, marks: Marks, here: tuple[str | int, ...], check: Check, values: Mapping[str, Any]) -> Params:
    try:
        return check.Params.model_validate(values)
    except ValidationError as error:
        raise spec_error(path, error, marks, check.Params, here) from error


def _check_whole(path: Path, spec: GraderSpec, marks: Marks) -> None:
    """Rules that span several places of a spec."""
    seen: set[str] = set()
    for s, stage in enumerate(spec.stages):
        for c, check in enumerate(stage.checks):
            if check.id in seen:
                raise SpecError(
                    f"{path}:{marks.line(('stages', s, 'checks', c))}: two checks are called '{check.id}'",
                    "Give each check its own id.",
                )
            seen.add(check.id)
    total = sum(check.points for stage in spec.stages for check in stage.checks)
    if abs(total - spec.points) > 1e-9:
        raise SpecError(
            f"{path}:{marks.line(('points',))}: points is {spec.points:g} but the checks add up to {total:g}",
            f"Change points to {total:g}, or the checks' points.",
        )
    for name, observation in spec.observations.items():
        for key in ("entry", "function"):
            entry = getattr(observation, key, None)
            if entry is not None and entry not in spec.entry_points:
                raise SpecError(
                    f"{path}:{marks.line(('observations', name, key))}: no entry point is called '{entry}'",
                    suggest(entry, spec.entry_points),
                )


def _check_data(loaded: LoadedSpec, data: DataSet) -> None:
    """Every array an observation names must exist and may be sent."""
    for name, observation in loaded.spec.observations.items():
        wanted = [
            getattr(observation, key, None) for key in ("inputs", "targets", "validation_inputs", "validation_targets")
        ]
        wanted += list(getattr(observation, "evaluate", {}).values())
        for array in filter(None, wanted):
            if array not in data.arrays:
                raise SpecError(
                    f"{loaded.folder / 'spec.yaml'}: observation '{name}' names the array '{array}', which "
                    f"data set '{data.name}' lacks",
                    suggest(array, data.arrays),
                )
            if array in data.judge_only:
                raise SpecError(
                    f"{loaded.folder / 'spec.yaml'}: observation '{name}' would send '{array}' to the "
                    "student's process, but the data builder says it is for the judge only",
                    "Take it out of the observation; checks may name it as their targets.",
                )


def _builder(path: Path) -> Builder:
    spec = importlib.util.spec_from_file_location(
        f"autograder_data_{hashlib.sha256(str(path).encode()).hexdigest()}", path
    )
    if spec is None or spec.loader is None or not path.exists():
        raise SpecError(f"{path}: no such data builder", "Write build(name, data_dir, seed) there, or drop `data`.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    build = getattr(module, "build", None)
    if build is None:
        raise SpecError(f"{path}: has no function build(name, data_dir, seed)", "Add it; see docs/writing-a-spec.md.")
    return build  # type: ignore[no-any-return]


def _digest(folder: Path, spec: GraderSpec) -> str:
    total = hashlib.sha256()
    names = ["spec.yaml"] + ([spec.data.builder] if spec.data else [])
    for name in names:
        path = folder / name
        total.update(name.encode() + b"\0" + (path.read_bytes() if path.exists() else b"") + b"\0")
    return total.hexdigest()
