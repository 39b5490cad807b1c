"""What helps an author works from the first minute, and what is generated is up to date."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import pytest
import yaml

from autograder.authoring.handout import data_files, handout_files, module_cells, sections, write_handout
from autograder.authoring.new_check import new_check
from autograder.authoring.new_spec import new_spec
from autograder.authoring.reference import checks_page
from autograder.authoring.schema import SCHEMA_FILE, schema_text, spec_schema
from autograder.checks import registry
from autograder.errors import SpecError, UsageError
from autograder.specs.folder import TEMPLATE
from autograder.specs.loader import load_all, load_spec
from autograder.specs.schema import PROBES
from autograder.specs.solutions import find_solutions

ROOT = Path(__file__).parent.parent.parent
SPECS, SOLUTIONS = ROOT / "grader_specs", ROOT / "reference_solutions"
SPEC_FILES = sorted([*SPECS.glob("*/spec.yaml"), *(ROOT / "tests/fixtures/specs").glob("*/spec.yaml")])


# --- the JSON schema --------------------------------------------------------------------------------------------------


def test_the_schema_file_is_up_to_date() -> None:
    assert (SPECS / SCHEMA_FILE).read_text() == schema_text(), "run: bin/autograder spec schema"


def complaints(tree: Any) -> list[str]:
    schema = spec_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(tree)]


@pytest.mark.parametrize("path", SPEC_FILES, ids=lambda p: p.parent.name)
def test_every_spec_agrees_with_the_schema(path: Path) -> None:
    assert complaints(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize("path", sorted(SPECS.glob("*/spec.yaml")), ids=lambda p: p.parent.name)
def test_every_spec_tells_editors_where_the_schema_is(path: Path) -> None:
    assert path.read_text().splitlines()[0] == f"# yaml-language-server: $schema=../{SCHEMA_FILE}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"titel": "x"}, "titel"),
        ({"checks": [{"type": "accuracy", "params": {"min": 0.5}}]}, "'targets' is a required property"),
        ({"checks": [{"type": "accuracy", "params": {"targets": "y", "min": 2}}]}, "not valid under any"),
        ({"checks": [{"type": "accuracy", "params": {"targets": "y", "min": {"calibratd": "k"}}}]}, "not valid under"),
        ({"checks": [{"type": "accuracy", "params": {"targets": "y", "min": 0.5, "ful": 1}}]}, "ful"),
        ({"checks": [{"type": "accuracy"}]}, "'params' is a required property"),
        ({"observations": {"public": {"probe": "forward"}}}, "not valid under any"),
        ({"observations": {"public": {"probe": "forwrd", "inputs": "x"}}}, "not valid under any"),
    ],
)
def test_the_schema_complains_as_the_loader_does(change: dict[str, Any], said: str) -> None:
    tree = yaml.safe_load((SPECS / TEMPLATE / "spec.yaml").read_text())
    assert complaints(tree) == []
    assert any(said in complaint for complaint in complaints({**tree, **change}))


def test_a_calibrated_threshold_may_stand_for_a_number() -> None:
    tree = yaml.safe_load((SPECS / TEMPLATE / "spec.yaml").read_text())
    params = {"targets": "y", "min": {"calibrated": "accuracy.accuracy", "else": 0.5}}
    assert complaints({**tree, "checks": [{"type": "accuracy", "params": params}]}) == []


def test_a_check_type_of_a_specs_own_is_let_through() -> None:
    tree = yaml.safe_load((SPECS / TEMPLATE / "spec.yaml").read_text())
    assert complaints({**tree, "checks": [{"type": "my_own", "params": {"anything": [1, 2]}}]}) == []


# --- the reference ----------------------------------------------------------------------------------------------------


def test_the_reference_of_checks_is_up_to_date() -> None:
    assert (ROOT / "docs/checks.md").read_text() == checks_page(), "run: bin/autograder check docs"


def test_the_reference_names_every_check_probe_and_parameter() -> None:
    page = checks_page()
    for kind, check in registry.all_checks().items():
        section = page[page.index(f"\n### `{kind}`\n") :]
        assert all(f"`{name}`" in section for name in check.Params.model_fields)
    assert all(f"\n### `{probe}` (probe)\n" in page for probe in PROBES)


# --- a new spec -------------------------------------------------------------------------------------------------------


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Path, Path]:
    specs, solutions = tmp_path / "specs", tmp_path / "solutions"
    shutil.copytree(SPECS / TEMPLATE, specs / TEMPLATE)
    shutil.copytree(SOLUTIONS / TEMPLATE, solutions / TEMPLATE)
    return specs, solutions


def test_a_new_spec_is_the_template_under_its_own_name(homes: tuple[Path, Path]) -> None:
    specs, solutions = homes
    made = new_spec("gcn-layers", specs, solutions)
    loaded = load_spec(specs / "gcn-layers")
    assert loaded.spec.id == "gcn-layers"
    assert loaded.build_data(None, 0).arrays
    assert specs / "gcn-layers/starter/submission.py" in made
    assert {s.accepted for s in find_solutions(solutions / "gcn-layers")} == {True, False}
    assert set(load_all(specs)) == {"gcn-layers"}, "the template itself is no spec"


@pytest.mark.parametrize("bad", ["Gcn", "2-layers", "a/b", "..", "a_b", "", "a" * 65])
def test_an_id_that_will_not_do_is_refused(homes: tuple[Path, Path], bad: str) -> None:
    with pytest.raises(SpecError, match="can't be a spec's id"):
        new_spec(bad, *homes)


def test_a_spec_that_is_there_is_never_overwritten(homes: tuple[Path, Path]) -> None:
    new_spec("gcn-layers", *homes)
    with pytest.raises(SpecError, match="is there already"):
        new_spec("gcn-layers", *homes)


# --- the handout ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", sorted(p.parent for p in SPECS.glob("*/README.md")), ids=lambda p: p.name)
def test_every_handout_has_the_instructions_and_the_starter(folder: Path) -> None:
    files = handout_files(folder)
    read = nbformat.reads(files["submission.ipynb"].decode(), as_version=4)
    nbformat.validate(read)
    kinds = [cell.cell_type for cell in read.cells]
    assert kinds[0] == "markdown"
    assert "code" in kinds
    assert read.cells[0].source.startswith("# ")
    code = "\n".join(cell.source for cell in read.cells if cell.cell_type == "code")
    for entry in load_spec(folder).spec.entry_points.values():
        if entry.required:
            assert re.search(rf"(class|def) {entry.names[0]}\b|^{entry.names[0]} *=", code, re.M), entry.names[0]
    compile(files["submission.py"], "submission.py", "exec")
    assert not any("solution" in name or name.endswith((".yaml", "data.py")) for name in files)


def test_a_module_becomes_cells_and_a_heading_in_a_code_fence_is_no_heading() -> None:
    code = '"""What it is."""\n\nimport os\nX = 1\n\n\n# about A\nclass A:\n    pass\n\n\n'
    code += 'if __name__ == "__main__":\n    print(A())\n'
    cells = [(c["cell_type"], "".join(c["source"])) for c in module_cells(code)]
    assert cells == [
        ("markdown", "What it is."),
        ("code", "import os\nX = 1"),
        ("code", "# about A\nclass A:\n    pass"),
        ("code", "print(A())"),
    ]
    assert sections("# One\ntext\n```\n# no heading\n```\n## Two\n") == [
        "# One\ntext\n```\n# no heading\n```",
        "## Two",
    ]


def test_a_notebook_starter_gives_the_module_without_magics(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    (folder / "starter").mkdir(parents=True)
    (folder / "README.md").write_text("# Task\n")
    cells = [{"cell_type": "code", "source": ["!pip install x\n", "%matplotlib inline\n", "import os"], "metadata": {}}]
    (folder / "starter/task.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}))
    files = handout_files(folder)
    assert files["submission.py"].decode() == "# !pip install x\n# %matplotlib inline\nimport os\n"
    (folder / "starter/task.ipynb").write_text("{}")
    with pytest.raises(SpecError, match="is no notebook"):
        handout_files(folder)


def test_a_handout_is_written_as_a_folder_or_a_zip_and_never_over_something(tmp_path: Path) -> None:
    files = handout_files(SPECS / TEMPLATE)
    write_handout(files, tmp_path / "out")
    write_handout(files, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert set(archive.namelist()) == set(files) == {p.name for p in (tmp_path / "out").iterdir()}
    with pytest.raises(SpecError, match="is there already"):
        write_handout(files, tmp_path / "out.zip")


def test_a_handout_has_the_files_that_lie_beside_a_submission_but_no_served_downloads() -> None:
    def given(name: str) -> set[str]:
        loaded = load_spec(SPECS / name)
        return set(data_files(loaded.build_data(None, loaded.spec.seed, "standin")))

    assert given("ccds-word2vec-emotion") == {"vectors/tiny.txt", "vectors/small.txt", "vectors/emotion.txt"}
    assert given("ccds-cnn-1") == set()


# --- a new check type -------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the check types and their tests need."""
    for folder in ("autograder", "tests/checks"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests/unit").mkdir()
    for file in ("tests/__init__.py", "tests/unit/__init__.py", "tests/unit/test_check_contract.py", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def run_tests(project: Path) -> subprocess.CompletedProcess[str]:
    tests = ["tests/unit", "tests/checks/test_mean_range.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "mean_range", *tests]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=100)


def test_a_new_check_type_passes_its_tests_and_one_that_passes_everything_does_not(project: Path) -> None:
    module, _, _ = new_check("mean_range", project)
    done = run_tests(project)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 10  # type: ignore[index]
    text = module.read_text()
    module.write_text(text.replace("        outputs =", '        return passed("fine")\n        outputs ='))
    careless = run_tests(project)
    assert careless.returncode == 1
    for test in ("test_nothing_passes_on_nothing", "test_nan_and_infinity_never_pass", "test_a_mean_outside_fails"):
        assert f"::{test}[" in careless.stdout


@pytest.mark.parametrize("bad", ["Mean", "2nd", "mean-range", "class", "", "../x"])
def test_a_name_that_will_not_do_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(UsageError, match="can't be a check type's name"):
        new_check(bad, tmp_path)


def test_a_check_type_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is a check type 'finite' already"):
        new_check("finite", tmp_path)
