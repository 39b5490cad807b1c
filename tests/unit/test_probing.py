"""The judge's end of the probes: what is sent, what is kept of the answers, what a tainted process may still say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from autograder.errors import SandboxError, SandboxStopped, SpecError
from autograder.intake import unpack
from autograder.model import Observation, Verdict
from autograder.probing import Prober
from autograder.probing.calls import chunks
from autograder.probing.untrusted import is_real_place, weight
from autograder.sandbox.base import Limits, Message, Usage
from autograder.specs.dataset import Case, DataSet, Ref
from autograder.specs.schema import GraderSpec

Answer = Callable[[Mapping[str, Any]], tuple[list[dict[str, Any]], dict[str, Any]]]
SPEC = {
    "id": "probed",
    "title": "Probed",
    "entry_points": {
        "model": {"kind": "model", "names": ["Net"], "parameters": {"classes": []}, "arguments": {"classes": 3}},
        "f": {"kind": "function", "names": ["f"]},
    },
    "observations": {
        "calls": {"probe": "calls", "entry": "f", "cases": "open"},
        "secret": {"probe": "calls", "entry": "f", "cases": "secret"},
        "trace": {"probe": "trace", "inputs": "x"},
        "hidden_trace": {"probe": "trace", "inputs": "h"},
        "behave": {"probe": "behave", "inputs": "x"},
        "hidden_behave": {"probe": "behave", "inputs": "h"},
        "moves": {"probe": "moves", "inputs": "x", "targets": "y"},
        "schedule": {"probe": "schedule", "entry": "f"},
        "checkpoint": {"probe": "checkpoint", "file": "*.pt"},
        "source": {"probe": "source"},
        "usage": {"probe": "usage", "of": "trace"},
    },
}


class Session:
    """A process that answers each operation as a test says."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.alive = True
        self.data = "/data"
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self._answers = answers

    def request(
        self,
        op: str,
        arguments: Mapping[str, Any],
        *,
        wall_s: float | None = None,
        on_event: Callable[[Message], None] | None = None,
    ) -> Mapping[str, Any]:
        self.asked.append((op, arguments))
        usual: dict[str, dict[str, Any]] = {
            "resolve": {name: {"found": name, "how": "name"} for name in ("model", "f")},
            "construct": {"handle": "m1"},
        }
        if op not in self._answers:
            return {"status": "ok", "result": usual.get(op, {})}
        events, response = self._answers[op](arguments)
        for number, event in enumerate(events):
            if event.get("stop"):
                self.alive = False
                raise SandboxStopped(Verdict.TIMED_OUT, "This took too long.")
            if on_event is not None:
                on_event(Message("event", number, event))
        return response if "status" in response else {"status": "ok", "result": response}

    def output(self) -> str:
        return ""

    def measure(self) -> Usage:
        return Usage(1.0, 0.5, 12.0)

    def end(self) -> Usage:
        return self.close()

    def close(self) -> Usage:
        return Usage(1.0, 0.5, 12.0)


class Sandbox:
    name = "scripted"

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = answers
        self.sessions: list[Session] = []

    def open(self, limits: Limits) -> Session:
        self.sessions.append(Session(self.answers))
        return self.sessions[-1]

    def warning(self) -> str:
        return ""

    def runtime(self) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        pass


CASES = tuple(Case((i,), expected=i, label=f"case {i}") for i in range(450))
DATA = DataSet(
    "d",
    {"x": np.zeros((2, 3)), "y": np.zeros(2, np.int64), "h": np.ones((2, 3)), "labels": np.zeros(2)},
    hidden=frozenset({"h", "secret"}),
    judge_only=frozenset({"labels"}),
    cases={"open": CASES, "secret": CASES[:3]},
)


def observe(name: str, data: DataSet = DATA, **answers: Answer) -> tuple[Observation, Session | None, Prober]:
    sandbox = Sandbox(answers)
    prober = Prober(GraderSpec.model_validate(SPEC), unpack("a.py", b"x = 1\n"), data, sandbox, 0)
    observation = prober.observe(prober.spec.observations[name], 0)
    return observation, sandbox.sessions[-1] if sandbox.sessions else None, prober


@pytest.mark.parametrize("limit", [None, 4096])
def test_a_limit_on_the_cards_memory_is_held_outside_and_told_inside(limit: int | None) -> None:
    given: list[Limits] = []

    class Watching(Sandbox):
        def open(self, limits: Limits) -> Session:
            given.append(limits)
            return super().open(limits)

    sandbox = Watching({})
    spec = GraderSpec.model_validate({**SPEC, "limits": {"gpu_memory_mb": limit}})
    Prober(spec, unpack("a.py", b"x = 1\n"), DATA, sandbox, 0).observe(spec.observations["calls"], 0)
    assert [limits.gpu_memory_mb for limits in given] == [limit]
    told = [arguments.get("gpu_memory_mb") for op, arguments in sandbox.sessions[0].asked if op == "load"]
    assert told == [limit]


def echo(arguments: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    return [{"event": "answer", "value": case["arguments"][0]} for case in arguments["cases"]], {}


def errors(arguments: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    said = {"type": "ValueError", "message": "I saw 42", "where": "a.py, line 1"}
    own = {**said, "type": "Saw42", "kind": "network"}
    return [
        {"event": "answer", "error": said},
        {"event": "answer", "error": own},
        {"event": "answer", "value": np.ones(2)},
    ], {}


def test_many_cases_are_sent_in_parts_and_answered_in_order() -> None:
    observation, session, _ = observe("calls", calls=echo)
    assert observation.failure is None
    assert [a["value"] for a in observation.values["answers"]] == list(range(450))
    assert (observation.values["cases"], observation.values["tainted"]) == ("open", False)
    assert session is not None
    sent = [arguments for op, arguments in session.asked if op == "calls"]
    assert [len(arguments["cases"]) for arguments in sent] == [200, 200, 50]
    assert "expected" not in repr(sent)
    assert "case 7" not in repr(sent)


def test_a_hang_keeps_the_answers_before_it() -> None:
    def hangs(arguments: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        events, _ = echo(arguments)
        return [*events[:7], {"stop": True}], {}

    observation, _, _ = observe("calls", calls=hangs)
    assert observation.failure is not None
    assert observation.failure.verdict is Verdict.TIMED_OUT
    assert len(observation.values["answers"]) == 7


@pytest.mark.parametrize("extra", [-1, 1])
def test_a_process_that_answers_too_little_or_too_much_gains_nothing(extra: int) -> None:
    def lies(arguments: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        events, _ = echo(arguments)
        return (events[:extra] if extra < 0 else [*events, *events[:extra]]), {}

    observation, _, _ = observe("calls", calls=lies)
    if extra < 0:
        assert observation.failure is not None
        assert observation.failure.verdict is Verdict.CRASHED
    else:
        assert [a["value"] for a in observation.values["answers"]] == list(range(450))


def test_errors_are_told_in_full_until_a_case_is_hidden() -> None:
    small = DataSet("d", DATA.arrays, cases={"open": CASES[:3], "secret": ()})
    told = observe("calls", small, calls=errors)[0].values["answers"]
    assert told[0]["error"]["message"] == "I saw 42"
    assert told[1]["error"]["type"] == "Saw42"
    assert "no network" in told[1]["error"]["hint"]
    observation = observe("secret", calls=errors)[0]
    assert observation.values["tainted"] is True
    hidden = observation.values["answers"]
    assert [a["error"]["type"] for a in hidden[:2]] == ["ValueError", "Exception"]
    assert [a["error"]["hint"] for a in hidden[:2]] == ["", ""]
    assert "42" not in repr(hidden[:2])
    assert "line" not in repr(hidden[:2])
    np.testing.assert_array_equal(hidden[2]["value"], [1, 1])


def test_a_process_after_a_tainted_one_is_tainted_and_what_the_first_said_of_itself_holds() -> None:
    loads = iter([("Net", "hello"), ("0.7351", "0.7351")])

    def load(_: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        name, remark = next(loads)
        return [], {"names": {name: "class"}, "remarks": [{"where": "cell 1", "message": remark}], "figures": []}

    _, _, prober = observe("secret", calls=errors, load=load)
    entries, names, remarks = prober.entries, prober.names, prober.remarks
    assert names == {"Net": "class"}
    prober.restart()
    again = prober.observe(prober.spec.observations["calls"], 0)
    assert again.values["tainted"] is True
    assert "42" not in repr(again.values["answers"][:2])
    assert (prober.entries, prober.names, prober.remarks, prober.output) == (entries, names, remarks, "")


def test_a_process_after_a_tainted_one_that_does_not_load_tells_no_words() -> None:
    answers = iter(
        [{"names": {}}, {"status": "error", "error": {"kind": "exception", "type": "E", "message": "0.7351"}}]
    )
    _, _, prober = observe("secret", calls=errors, load=lambda _: ([], next(answers)))
    prober.restart()
    failure = prober.observe(prober.spec.observations["calls"], 0).failure
    assert failure is not None
    assert "0.7351" not in f"{failure.message}{failure.hint}{failure.trace}"


def test_references_send_their_arrays_first_and_a_hidden_one_taints() -> None:
    cases = (
        Case((Ref("array", "x"), Ref("built", "model", train=True))),
        Case(({"data": Ref("dataset", inputs="h", targets="y")},)),
    )
    data = DataSet("d", DATA.arrays, frozenset({"h"}), cases={"open": cases, "secret": ()})
    observation, session, _ = observe("calls", data, calls=echo)
    assert session is not None
    assert [arguments["name"] for op, arguments in session.asked if op == "put"] == ["x", "h", "y"]
    sent = next(arguments for op, arguments in session.asked if op == "calls")["cases"]
    assert sent[0]["arguments"] == [
        {"$ref": "array", "name": "x"},
        {"$ref": "built", "name": "model", "arguments": {"classes": 3}, "train": True},
    ]
    assert observation.values["tainted"] is True


def test_what_is_for_the_judge_only_is_never_sent() -> None:
    data = DataSet(
        "d", DATA.arrays, judge_only=frozenset({"labels"}), cases={"open": (Case((Ref("array", "labels"),)),)}
    )
    with pytest.raises(SandboxError):
        observe("calls", data, calls=echo)
    with pytest.raises(SpecError, match="dragon"):
        Ref("dragon")


def test_chunks_respect_the_wire() -> None:
    large = np.zeros(1 << 19)  # 4 MB
    assert [len(c) for c in chunks([{"a": large}] * 9)] == [4, 4, 1]
    assert [len(c) for c in chunks([{"a": [np.zeros(1)] * 900}] * 5)] == [2, 2, 1]
    assert [len(c) for c in chunks([{"a": "x" * 100_000}] * 5)] == [2, 2, 1]
    assert [len(c) for c in chunks([{"a": "x" * 900_000}] * 2)] == [1, 1]
    assert list(chunks([])) == []


GARBAGE: list[Any] = [
    *(None, 3, "text", [], {}, [3], [None], [[1]], np.zeros(3), float("nan")),
    [{"op": "dragon"}, {"op": ["relu"]}, {"op": "relu", "in": 3, "out": [[-1], "x", [2, 3]], "module": 7}],
    [{"name": 3, "shape": [-1], "change": "far", "zeros": [1], "module": None, "before": 3, "mean": "a", "p": {}}] * 3,
]


def garbage() -> Iterator[tuple[str, dict[str, Any]]]:
    keys = ("ops", "modules", "parameters", "eval", "train", "buffers", "dropout", "weights", "outputs", "lrs", "how")
    for name in ("trace", "hidden_trace", "behave", "hidden_behave", "moves", "schedule", "checkpoint"):
        for value in GARBAGE:
            yield name, dict.fromkeys((*keys, "tensors", "missing", "unexpected"), value)


@pytest.mark.parametrize(("name", "answer"), list(garbage()))
def test_garbage_never_breaks_the_judge(name: str, answer: dict[str, Any]) -> None:
    op = name.removeprefix("hidden_")
    data = DataSet("d", DATA.arrays, DATA.hidden - {"secret"}, files={"w/a.pt": b"x"})
    observation, _, _ = observe(name, data, **{op: lambda _arguments: ([], answer)})
    assert observation.failure is None
    for op_row in observation.values.get("ops", []):
        assert op_row == {"op": "relu", "module": "number 1" if "hidden" in name else "", "in": [], "out": [[2, 3]]}


def test_names_of_a_tainted_process_become_numbers_that_still_belong_together() -> None:
    answer = {
        "ops": [{"op": "linear", "module": "secret42", "in": [[2, 3]], "out": [[2, 4]]}, {"op": "relu", "module": ""}],
        "modules": [{"name": "", "type": "Net42"}, {"name": "secret42", "type": "Linear"}],
        "parameters": [{"name": "secret42.weight", "shape": [4, 3]}],
    }
    shown = observe("trace", trace=lambda _arguments: ([], answer))[0].values
    assert shown["ops"][0]["module"] == "secret42"
    hidden = observe("hidden_trace", trace=lambda _arguments: ([], answer))[0].values
    assert [op["module"] for op in hidden["ops"]] == ["number 2", "number 1"]
    assert [row["name"] for row in hidden["modules"]] == ["number 1", "number 2"]
    assert "42" not in repr(hidden)
    weights = [{"name": "w42", "layer": "Linear"}, {"name": "v", "layer": "Mine42"}]
    told = observe("hidden_behave", behave=lambda _arguments: ([], {"weights": weights}))[0].values
    assert [(w["name"], w["layer"]) for w in told["weights"]] == [("number 1", "Linear"), ("number 2", "other")]


def test_the_judge_reads_the_source_itself() -> None:
    observation, session, _ = observe("source")
    assert observation.values["files"] == [{"name": "submission.py", "code": "x = 1\n"}]
    assert session is None


def test_the_usage_of_an_observation_is_measured_from_outside() -> None:
    _, _, prober = observe("trace")
    told = prober.observe(prober.spec.observations["usage"], 0).values
    assert (told["cpu_s"], told["peak_mb"], told["gpu_mb"]) == (0.5, 12.0, None)
    assert told["seconds"] >= 0


def test_a_missing_weights_file_says_what_to_hand_in() -> None:
    failure = observe("checkpoint")[0].failure
    assert failure is not None
    assert failure.verdict is Verdict.FAILED
    assert "*.pt" in failure.message
    assert "state_dict" in failure.hint


@pytest.mark.parametrize(
    ("where", "real"),
    [
        ("a.py, line 3", True),
        ("cell 2, line 1", True),
        ("a.py, line 4", False),
        ("a.py, line 0", False),
        ("b.py, line 1", False),
        ("my hidden number 42.py, line 1", False),
        ("cell 3, line 1", False),
    ],
)
def test_a_tainted_process_can_name_only_lines_that_there_are(where: str, real: bool) -> None:
    assert is_real_place(where, {"a.py": 3, "cell 1": 9, "cell 2": 1}) is real


def test_a_tainted_process_with_very_many_lines_names_none() -> None:
    assert is_real_place("a.py, line 1", {"a.py": 4000, "b.py": 96})
    assert not is_real_place("a.py, line 1", {"a.py": 4000, "b.py": 97})


def test_what_the_judge_keeps_of_all_answers_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.probing.prober.MOST_KEPT", 3 << 20)

    def large(arguments: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        return [{"event": "answer", "value": np.zeros(700 << 10, np.uint8)} for _ in arguments["cases"]], {}

    observation, session, prober = observe("secret", calls=large)
    assert observation.failure is None  # 2.1 of 3 MB
    assert session is not None
    again = prober.observe(prober.spec.observations["secret"], 0)
    assert again.failure is not None
    assert again.failure.verdict is Verdict.OUTPUT_LIMIT
    assert again.values == {"tainted": True}
    asked = len(session.asked)
    assert prober.observe(prober.spec.observations["secret"], 0).failure == again.failure
    assert len(session.asked) == asked  # nothing more is asked


def test_what_an_answer_weighs() -> None:
    assert weight({"a": [np.zeros(1000), "x" * 500]}) > 8500
    assert weight([[]] * 1000) > 50_000


@pytest.mark.parametrize("found", [np.zeros(2), ["f"], {"f": 1}, 1, True, None])
def test_a_name_that_is_no_text_was_not_found(found: Any) -> None:
    def resolve(_: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        return [], {name: {"found": found, "message": found} for name in ("model", "f")}

    observation, _, _ = observe("calls", resolve=resolve)
    assert observation.failure is not None
    assert observation.failure.verdict is Verdict.FAILED
    assert "was not found" in observation.failure.message
