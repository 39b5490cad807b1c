"""Looks for what must not leak: answers in reach of students, hidden values in what a report says."""

from __future__ import annotations

import ast
import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from autograder.model import CheckResult, GradeReport, Verdict
from autograder.proof.kept_back import FEW, IN_FILE, IN_WORDS, files_of, floats_of, kinds_of, rows_of
from autograder.proof.listings import packed_arrays, rows, secrets
from autograder.proof.mutation.source import parts, without_magics
from autograder.specs.dataset import Case, DataSet
from autograder.specs.loader import LoadedSpec
from autograder.specs.solutions import Solution

Array = np.ndarray[Any, Any]
_NUMBER = re.compile(r"-?\d+\.(\d{3,})(?![\d])")
_ROW_END, _NEW_LINE = re.compile(r"[\]}]"), "\n"  # so that each row of a table in JSON is a line
_CHANCE = 0.01  # a match that luck alone gives less often than this counts
_LISTED = 16  # integers of a secret array in a row that a file must not list
_SHARED = 0.6  # of a solution's lines in what students get
_LEAST_LINE = 20
_CODE = {".py", ".ipynb"}
_TEXTS = {".py", ".md", ".ipynb", ".txt"}


# ------------------------------------------------------------------------------------------------ answers in reach


def reachable(loaded: LoadedSpec, data: DataSet, right: Sequence[Solution]) -> list[str]:
    """Answers a student could get at: in arrays or files that are sent, in handout or starter.

    Of a data set's folders a bounded part is read; see kept_back.
    """
    given = handed_out(loaded.folder)
    return [
        *_arrays_sent(loaded, data),
        *_in_files(loaded.folder, data, given),
        *_expected_sent(loaded, data, given),
        *_facts_told(data, given),
        *_solution_in(given, right),
        *_starter_solves(loaded.folder, right),
    ]


def handed_out(folder: Path) -> dict[str, str]:
    """Texts that students get with the task, by path within the spec's folder."""
    files = [folder / "README.md", *sorted((folder / "starter").rglob("*"))]
    return {
        str(path.relative_to(folder)): path.read_text("utf-8", errors="replace")
        for path in files
        if path.is_file() and path.suffix in _TEXTS
    }


def _sent(loaded: LoadedSpec, data: DataSet) -> dict[str, Array]:
    """Arrays that observations send, also through the cases of calls."""
    words = set(_words(loaded.spec.model_dump(mode="json", include={"observations"})))
    lists = [cases for name, cases in data.cases.items() if name in words]
    words |= {name for cases in lists for case in cases for ref in case.refs() for name in ref.arrays}
    return {name: array for name, array in data.arrays.items() if name in words and name not in data.judge_only}


def _words(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from _words(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _words(value)


def _arrays_sent(loaded: LoadedSpec, data: DataSet) -> Iterator[str]:
    sent = _sent(loaded, data)
    for name in sorted(data.judge_only & data.arrays.keys()):
        secret = data.arrays[name]
        for other, array in sent.items():
            if _holds(array, secret):
                yield f"the array '{other}', which is sent, holds the judge's '{name}'"
    for name, row in rows_of(data).items():
        for other, array in sent.items():
            if any(_holds(array, secret) for secret in kinds_of(row)):
                yield f"the array '{other}', which is sent, holds the judge's '{name}'"


def _in_files(folder: Path, data: DataSet, texts: Mapping[str, str]) -> Iterator[str]:
    """Files of the data set, handout and starter that hold a secret array: as text, as bytes, as NumPy saves it.

    texts: files of handout and starter that `_facts_told` reads.
    """
    given = [folder / "README.md", *(p for sub in ("starter", "img") for p in sorted((folder / sub).rglob("*")))]
    given = [path for path in given if path.is_file()]
    names = sorted((data.judge_only | data.hidden) & data.arrays.keys())
    kept = {name: (data.arrays[name],) for name in names} | {n: kinds_of(row) for n, row in rows_of(data).items()}
    listed = secrets({name: kinds[0] for name, kinds in kept.items()}, least=_LISTED)
    facts = floats_of(data)
    files = ((f"the file '{path}', which students' code can read,", path, held) for path, held in files_of(data))
    own = ((str(path.relative_to(folder)), path.name, path.read_bytes()) for path in given)
    for label, path, content in chain(files, own):
        text = _text(content) if listed or facts else ""
        packed, found_rows = packed_arrays(path, content), list(rows(text)) if listed else []
        for name, kinds in kept.items():
            secret = listed.get(name)
            found = any(kind.size >= FEW and kind.tobytes() in content for kind in kinds)
            found = found or any(_holds(other, kind) for other in packed for kind in kinds)
            if not found and secret:
                found = any(secret.bytes_in(held) for held in (content, *(other.tobytes() for other in packed)))
                found = found or secret.listed_in(found_rows)
            if found:
                whose = "the hidden" if name in data.hidden - data.judge_only else "the judge's"
                yield f"{label} holds {whose} '{name}'"
        for name, floats in facts.items():
            if label not in texts and (said := floats.written_in(text, IN_FILE)):
                yield f"{label} holds a number of the judge's '{name}': {said}"


def _text(content: bytes) -> str:
    """The content if it is text, with the line ends that a notebook writes as characters; else nothing."""
    try:  # its end may be in the middle of a character, where a large file was cut
        return codecs.getincrementaldecoder("utf-8")().decode(content).replace("\\n", "\n")
    except UnicodeDecodeError:
        return ""


def _holds(array: Array, secret: Array) -> bool:
    """True if one array is the other, or a column of it is."""
    if (
        secret.size < FEW
        or array.dtype.kind not in "fiub"
        or secret.dtype.kind not in "fiub"
        or (secret == secret.flat[0]).all()
    ):
        return False
    flat = secret.reshape(-1)
    if array.size == secret.size:
        return np.array_equal(array.reshape(-1), flat)
    if array.ndim < 2 or array.shape[0] != flat.size:
        return False
    columns = array.reshape(array.shape[0], -1)
    return bool((columns == flat[:, None]).all(axis=0).any())


def _expected_sent(loaded: LoadedSpec, data: DataSet, given: Mapping[str, str]) -> Iterator[str]:
    sent = _sent(loaded, data)
    for name, cases in data.cases.items():
        for number, case in enumerate(cases):
            label = f"what case {number + 1} of '{name}' expects"
            for array in _arrays_in(case.expected):
                yield from (
                    f"the array '{o}', which is sent, holds {label}" for o, a in sent.items() if _holds(a, array)
                )
            if name not in data.hidden:
                continue
            for text in _telling(case.expected):
                yield from (f"{path} holds {label}: {text}" for path, content in given.items() if text in content)


def _facts_told(data: DataSet, given: Mapping[str, str]) -> Iterator[str]:
    for name, floats in floats_of(data).items():
        for path, text in given.items():
            if said := floats.written_in(text, IN_WORDS):
                yield f"{path} holds a number of the judge's '{name}': {said}"


def _arrays_in(tree: Any) -> Iterator[Array]:
    if isinstance(tree, np.ndarray):
        yield tree
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from _arrays_in(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _arrays_in(value)


def _telling(tree: Any) -> Iterator[str]:
    """Numbers of five digits or more and long texts in a tree: what can't be in a handout by chance."""
    if isinstance(tree, float) and len(f"{abs(tree):.6g}".replace(".", "").strip("0")) >= 5:
        yield f"{tree:.6g}"
    elif isinstance(tree, str) and len(tree) >= 8:
        yield tree
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from _telling(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _telling(value)


def _solution_in(given: Mapping[str, str], right: Sequence[Solution]) -> Iterator[str]:
    everything = {line for text in given.values() for line in _lines(text.replace("\\n", "\n").replace('\\"', '"'))}
    for solution in right:
        lines = {line for part in parts(solution.filename, solution.data) for line in _lines(part.text)}
        shared = lines & everything
        if len(lines) >= 5 and len(shared) > _SHARED * len(lines):
            yield (
                f"{len(shared) / len(lines):.0%} of the lines of {solution.name} stand in the handout or starter, "
                f"such as: {min(shared)}"
            )


def _starter_solves(folder: Path, right: Sequence[Solution]) -> Iterator[str]:
    """Files of the starter whose code is that of a solution; short ones too."""
    solved = {_code(solution.filename, solution.data): solution.name for solution in reversed(right)}
    for path in sorted(p for p in (folder / "starter").rglob("*") if p.suffix in _CODE):
        name = solved.get(_code(path.name, path.read_bytes()))
        if name:
            yield f"{path.relative_to(folder)} is {name}, comments and spaces aside: give students gaps to fill in"


def _code(filename: str, data: bytes) -> str:
    """What an upload says to Python, written in one way only."""
    try:
        text = "\n".join(without_magics(part.text)[0] for part in parts(filename, data))
        return ast.unparse(ast.parse(text))
    except (SyntaxError, ValueError):  # no Python, no notebook or no text: the same only byte for byte
        return repr(data)


def _lines(text: str) -> set[str]:
    """Lines of code that somebody had to think of."""
    lines = {line.strip().strip('",').strip() for line in text.splitlines()}
    dull = ("import ", "from ", "def ", "class ", "#", '"""', "print(", "super()", "@")
    return {line for line in lines if len(line) >= _LEAST_LINE and not line.startswith(dull)}


# --------------------------------------------------------------------------------------------- values in feedback


def in_feedback(loaded: LoadedSpec, data: DataSet, reports: Sequence[tuple[str, GradeReport]]) -> list[str]:
    """Hidden numbers and texts that a message, hint or evidence shows; what luck may give as well is left out."""
    given = "\n".join(handed_out(loaded.folder).values())
    names = sorted((data.hidden | data.judge_only) & data.arrays.keys())
    arrays = {n: data.arrays[n].astype(np.float64).reshape(-1) for n in names if data.arrays[n].dtype.kind == "f"}
    for name in sorted(data.hidden & data.cases.keys()):
        numbers = [v for case in data.cases[name] for v in _numbers(_secrets(case))]
        if numbers:
            arrays[name] = np.array(numbers)
    texts = {n: {t for c in data.cases[n] for t in _telling(_secrets(c))} for n in data.hidden & data.cases.keys()}
    listed = secrets({n: data.arrays[n] for n in names})
    found = list(_facts_in_feedback(data, reports))
    for solution, report in reports:
        for check in report.checks:
            said, lines = _said(check)
            found_rows = list(rows(lines)) if listed else []
            for name, secret in listed.items():
                if secret.listed_in(found_rows):
                    found.append(f"{check.id} tells {solution} values of '{name}', listed in a row")
            for name, value in [*_matches(said, arrays), *_texts_said(said, texts, given)]:
                found.append(f"{check.id} tells {solution} a value of '{name}': {value}")
    return found


def _facts_in_feedback(data: DataSet, reports: Sequence[tuple[str, GradeReport]]) -> Iterator[str]:
    """What checks that did not pass tell of facts; one that passed shows a student's own answer, which is the same."""
    floats, listed = floats_of(data), secrets(rows_of(data))
    checks = [(solution, check) for solution, report in reports for check in report.checks if floats or listed]
    for solution, check in checks:
        if check.verdict is Verdict.PASSED:
            continue
        said, lines = _said(check)
        found_rows = list(rows(lines)) if listed else []
        for name, secret in listed.items():
            if secret.listed_in(found_rows):
                yield f"{check.id} tells {solution} values of '{name}', listed in a row"
        for name, telling in floats.items():
            if value := telling.written_in(said, IN_WORDS):
                yield f"{check.id} tells {solution} a value of '{name}': {value}"


def _said(check: CheckResult) -> tuple[str, str]:
    """Message, hint and evidence of a check: as one text, and with each row of a table as a line."""
    evidence = json.dumps(check.evidence, default=_plain, ensure_ascii=False)
    lines = f"{check.message}\n{check.hint}\n{_ROW_END.sub(_NEW_LINE, evidence)}"
    return f"{check.message} {check.hint} {evidence}", lines


def _plain(value: Any) -> Any:
    """What JSON lacks: arrays as lists, the rest as text."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def _secrets(case: Case) -> list[Any]:
    return [case.arguments, case.keywords, case.expected]


def _numbers(tree: Any) -> Iterator[float]:
    if isinstance(tree, float):
        yield tree
    elif isinstance(tree, np.ndarray) and tree.dtype.kind == "f":
        yield from (float(v) for v in tree.reshape(-1)[:10_000])
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from _numbers(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _numbers(value)


def _matches(said: str, arrays: Mapping[str, Array]) -> Iterator[tuple[str, str]]:
    for match in dict.fromkeys(m[0] for m in _NUMBER.finditer(said)):
        value, digits = float(match), len(match.rsplit(".", 1)[1])
        for name, numbers in arrays.items():
            finite = numbers[np.isfinite(numbers)]
            span = float(np.ptp(finite)) if finite.size else 0.0
            if span == 0 or finite.size * 10.0**-digits / span > _CHANCE:
                continue
            if np.abs(finite - value).min() <= 0.5 * 10.0**-digits:
                yield name, match


def _texts_said(said: str, texts: Mapping[str, set[str]], given: str) -> Iterator[tuple[str, str]]:
    for name, every in texts.items():
        for text in every:
            if text in said and text not in given and not _NUMBER.fullmatch(text):
                yield name, text
