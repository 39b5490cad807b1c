"""Reads the people of a CSV file: columns email and name, whatever else there is."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import UsageError
from autograder.services.accounts import fit_email

_HEAD = "Its first line has to name the columns: email,name"
_AS_UTF8 = "Save the file as CSV in UTF-8."


@dataclass
class PeopleFile:
    """Names by address, and what is wrong: line number → words with what to do. where: what to call the file."""

    where: str
    names: dict[str, str] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)


def read_people(path: Path) -> PeopleFile:
    """Everybody in a file ("-": standard input); a line that can't be used is a problem, and all are looked at.

    Raises UsageError for a file that can't be read at all or whose head lacks a column.
    """
    where = "standard input" if str(path) == "-" else str(path)
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise UsageError(f"{where}: can't be read ({error.strerror})", "Check the path.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{where}:{line}: is not UTF-8 text (byte 0x{content[error.start]:02x})", _AS_UTF8) from error
    found = PeopleFile(where)
    rows = _rows(text, found.problems)
    line, head = next(rows, (1, []))
    columns = [name.strip().lower() for name in head]
    missing = [name for name in ("email", "name") if name not in columns]
    if missing:
        advice = f"{_HEAD} (with a comma between them, not ';')." if ";" in "".join(head) else f"{_HEAD}."
        raise UsageError(f"{where}:{line}: there is no column {' and no column '.join(missing)}", advice)
    seen: dict[str, int] = {}
    for number, row in rows:
        _take(found, seen, number, row, (columns.index("email"), columns.index("name")))
    return found


def _take(found: PeopleFile, seen: dict[str, int], number: int, row: list[str], at: tuple[int, int]) -> None:
    """Put a line where it belongs."""
    email, name = (row[column].strip() if column < len(row) else "" for column in at)
    try:
        email = fit_email(email)
    except UsageError as error:
        found.problems[number] = f"{error.message}. {error.hint}" if email else "there is no e-mail address. Add it."
        return
    if not name:
        found.problems[number] = f"{email} has no name. Add it."
    elif email in seen:
        found.problems[number] = f"{email} stands in line {seen[email]} already. Take one of them out."
    else:
        found.names[email] = name
    seen.setdefault(email, number)


def _rows(text: str, problems: dict[int, str]) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not empty, with its number: where it starts, if a quoted field goes over several."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems[number] = f"this is no CSV ({error}). Check the quotes from here on."
            continue
        if any(cell.strip() for cell in row):
            yield number, row
