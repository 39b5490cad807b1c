"""What a spec.yaml may leave out: a spec as written becomes one in which everything is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.checks.base import Check
from autograder.errors import SpecError
from autograder.specs.schema import PROBES, CheckSpec, DataSpec, GraderSpec, ObservationSpec, Stage, Train
from autograder.specs.source import Marks, Where, suggest

ONLY_STAGE = "Checks"  # what the stage of a spec without stages is called


@dataclass(frozen=True)
class Draft:
    """A spec on its way to completeness. known: check types by name, the spec's own included."""

    path: Path
    spec: GraderSpec
    marks: Marks
    known: Mapping[str, Check]
    observations: dict[str, ObservationSpec] = field(default_factory=dict)

    def error(self, place: str, message: str, hint: str) -> SpecError:
        """An error at `line:column` of the spec."""
        return SpecError(f"{self.path}:{place}: {message}", hint)


def entries(spec: GraderSpec) -> list[tuple[Where, str, CheckSpec]]:
    """Every check as written: where it stands, its stage's name, itself."""
    if spec.checks:
        return [(("checks", i), ONLY_STAGE, check) for i, check in enumerate(spec.checks)]
    return [
        (("stages", s, "checks", c), stage.name, check)
        for s, stage in enumerate(spec.stages)
        for c, check in enumerate(stage.checks)
    ]


def complete(path: Path, spec: GraderSpec, marks: Marks, known: Mapping[str, Check]) -> GraderSpec:
    """Fill in what was left out: stages, ids, observations, points, data. Raises SpecError where it can't be told."""
    draft = Draft(path, spec, marks, known, dict(spec.observations))
    if bool(spec.checks) == bool(spec.stages):
        said = "both 'checks' and 'stages' are there" if spec.checks else "there are no checks"
        raise draft.error(
            marks.key(("checks",)), said, "Write one list 'checks:', or 'stages:' with a list 'checks:' in each."
        )
    filled = [_fill(draft, where, check) for where, _, check in entries(spec)]
    stages = spec.stages or (Stage(name=ONLY_STAGE, checks=spec.checks),)
    rest = iter(filled)
    stages = tuple(stage.model_copy(update={"checks": tuple(next(rest) for _ in stage.checks)}) for stage in stages)
    total = sum(check.points for check in filled)
    if "points" in spec.model_fields_set and abs(total - spec.points) > 1e-9:
        raise draft.error(
            marks.value(("points",)),
            f"points is {spec.points:g} but the checks add up to {total:g}",
            f"Change points to {total:g}, or the checks' points; or leave 'points' out.",
        )
    if not total > 0:
        raise draft.error(marks.key(("checks",)), "no check carries points", "Give some check points above 0.")
    _decide_leftovers(draft, filled)
    data = spec.data or (DataSpec() if (path.parent / DataSpec().builder).is_file() else None)
    return spec.model_copy(
        update={"stages": stages, "checks": (), "points": total, "data": data, "observations": draft.observations}
    )


def _fill(draft: Draft, where: Where, entry: CheckSpec) -> CheckSpec:
    """A check with its id, observation and points; what it implies is added to the draft's observations."""
    check = draft.known.get(entry.type)
    if check is None:
        raise draft.error(
            draft.marks.value((*where, "type")), f"unknown check type '{entry.type}'", suggest(entry.type, draft.known)
        )
    observe = entry.observe or _only_fit(draft, where, check)
    if observe not in draft.observations:
        implied = _implied(check)
        if implied is None or implied[0] != observe:
            raise draft.error(
                draft.marks.value((*where, "observe")),
                f"no observation is called '{observe}'",
                suggest(observe, [*draft.observations, *([implied[0]] if implied else [])]),
            )
        draft.observations[observe] = implied[1]
    probe = draft.observations[observe].probe
    if probe not in check.probes:
        fits = [name for name, o in draft.observations.items() if o.probe in check.probes]
        raise draft.error(
            draft.marks.key(where),
            f"check '{entry.type}' can't judge a '{probe}' observation",
            f"It judges: {', '.join(sorted(check.probes))}." + (f" You have: {', '.join(fits)}." if fits else ""),
        )
    _check_also(draft, where, entry, check)
    points = entry.points if "points" in entry.model_fields_set else check.points
    return entry.model_copy(update={"id": entry.id or entry.type, "observe": observe, "points": points})


def _decide_leftovers(draft: Draft, checks: Sequence[CheckSpec]) -> None:
    """A training's leftover gradient is measured where the spec says so, or else where a check judges it."""
    judged = {check.observe for check in checks if draft.known[check.type].wants_leftover}
    for name, observation in draft.observations.items():
        if isinstance(observation, Train) and observation.leftover is None:
            draft.observations[name] = observation.model_copy(update={"leftover": name in judged})


def _check_also(draft: Draft, where: Where, entry: CheckSpec, check: Check) -> None:
    """`also` gives every role that the check type needs, no other, and each an observation it can compare."""
    roles = {**check.optional_roles, **check.also_roles}
    for role, name in entry.also.items():
        key, value = (*where, "also", role), draft.marks.value((*where, "also", role))
        if role not in roles:
            raise draft.error(
                draft.marks.key(key), f"check '{entry.type}' knows no role '{role}'", suggest(role, roles)
            )
        if name not in draft.observations:
            raise draft.error(value, f"no observation is called '{name}'", suggest(name, draft.observations))
        probe = draft.observations[name].probe
        if probe not in roles[role]:
            raise draft.error(
                value,
                f"check '{entry.type}' can't use a '{probe}' observation as '{role}'",
                f"It takes: {', '.join(sorted(roles[role]))}.",
            )
    for role in sorted(set(check.also_roles) - set(entry.also)):
        raise draft.error(
            draft.marks.key(where),
            f"check '{entry.type}' also needs an observation as '{role}'",
            f"Add 'also: {{{role}: NAME}}'; it takes: {', '.join(sorted(check.also_roles[role]))}.",
        )


def _only_fit(draft: Draft, where: Where, check: Check) -> str:
    """The one observation that a check can judge; or the one it implies."""
    fits = [name for name, o in draft.observations.items() if o.probe in check.probes]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise draft.error(
            draft.marks.key(where),
            f"check '{check.kind}' could judge several observations: {', '.join(fits)}",
            f"Say which, such as 'observe: {fits[0]}'.",
        )
    implied = _implied(check)
    if implied is None or implied[0] in draft.observations:
        raise draft.error(
            draft.marks.key(where),
            f"check '{check.kind}' has nothing to judge: there is no observation with the probe "
            f"{' or '.join(sorted(check.probes))}",
            "Add one under 'observations'; docs/checks.md shows its fields.",
        )
    return implied[0]


def _implied(check: Check) -> tuple[str, ObservationSpec] | None:
    """The observation that need not be written: the one probe of the check for which nothing has to be said."""
    free = [
        model
        for probe, model in PROBES.items()
        if probe in check.probes and not any(f.is_required() for n, f in model.model_fields.items() if n != "probe")
    ]
    if len(free) != 1:
        return None
    made: ObservationSpec = free[0].model_validate({"probe": next(k for k, v in PROBES.items() if v is free[0])})
    return ("names" if made.probe == "resolve" else made.probe), made
