"""docker-compose.yml and docker/ against the code they start. Without an engine: structure, not a running service."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn
import yaml
from typer.testing import CliRunner

from autograder.cli import app as command_line
from autograder.config import ROOT, Settings, lanes
from autograder.errors import SpecError
from autograder.sandbox import seccomp
from autograder.specs.loader import LoadedSpec, load_all

DOCKER = ROOT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file with anchors and merges resolved."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services by name."""
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def with_nothing_set(text: str) -> str:
    """A value as compose makes it where `.env` names none of its variables."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_the_services_are_those_of_the_architecture(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == {"postgres", "redis", "migrate", "api", "worker-cpu", "worker-gpu"}


def test_every_container_is_locked(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert "privileged" not in service, name
        assert "cap_add" not in service, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["user"].split(":")[0] not in ("0", "root"), name
        assert service["pids_limit"] > 0, name
        assert not any("docker.sock" in volume for volume in service.get("volumes", [])), name
        assert service.get("network_mode") != "host", name


def test_only_workers_have_a_wider_filter(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        wide = [option for option in service["security_opt"] if option != "no-new-privileges:true"]
        assert bool(wide) == name.startswith("worker"), name
        assert "seccomp=unconfined" not in wide


def test_every_lasting_service_has_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert ("healthcheck" in service) == (name != "migrate"), name


def test_only_the_web_process_can_be_reached_and_workers_reach_nothing(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["api"]
    assert services["api"]["ports"][0].startswith("${AUTOGRADER_LISTEN:-127.0.0.1:")
    assert compose["networks"]["inside"]["internal"] is True
    for name, service in services.items():
        assert service["networks"] == (["inside", "outside"] if name == "api" else ["inside"])


def test_dependencies_exist_and_can_be_met(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        for name, condition in service.get("depends_on", {}).items():
            wanted = condition["condition"]
            assert wanted == "service_completed_successfully" if name == "migrate" else "healthcheck" in services[name]


def test_volumes_and_networks_are_declared(compose: dict[str, Any], services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        volumes = [with_nothing_set(volume) for volume in service.get("volumes", [])]
        assert {volume.split(":")[0] for volume in volumes} <= set(compose["volumes"])
        assert set(service["networks"]) <= set(compose["networks"])
    assert services["api"]["volumes"] == ["blobs:/data/blobs"]
    assert "blobs:/data/blobs" in services["worker-cpu"]["volumes"]


@pytest.mark.parametrize("name", ["worker-cpu", "worker-gpu"])
def test_workers_read_real_data_where_the_host_has_some(services: dict[str, dict[str, Any]], name: str) -> None:
    """As the folder of the host, or a volume that stays empty; never to be written to."""
    inside = services[name]["environment"]["AUTOGRADER_DATA_DIR"]
    mounts = [volume for volume in services[name]["volumes"] if f":{inside}:ro" in volume]
    assert [with_nothing_set(volume) for volume in mounts] == [f"no-data:{inside}:ro"]
    assert mounts[0].startswith("${AUTOGRADER_DATA_DIR_ON_HOST:-")
    assert repr(inside).replace("'", '"') in loaded("prove").SNOOP, "the proof must look whether students reach it"


@pytest.mark.parametrize("loaded_spec", load_all(ROOT / "grader_specs").values(), ids=lambda loaded: loaded.spec.id)
def test_a_data_folder_that_is_empty_is_as_good_as_none(tmp_path: Path, loaded_spec: LoadedSpec) -> None:
    for name in loaded_spec.spec.data.sets if loaded_spec.spec.data else ():
        if name != "standin":
            with pytest.raises(SpecError, match="could not build any of"):
                loaded_spec.build_data(tmp_path, 0, name)


def test_the_web_process_believes_no_proxy_unless_told(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = services["api"]["environment"]["FORWARDED_ALLOW_IPS"]
    assert given.startswith("${FORWARDED_ALLOW_IPS:-")
    assert with_nothing_set(given) == "127.0.0.1", "nobody outside the container"
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "172.18.0.1")
    assert uvicorn.Config("").forwarded_allow_ips == "172.18.0.1", "uvicorn reads it"


def test_environment_names_are_settings(services: dict[str, dict[str, Any]]) -> None:
    known = {f"AUTOGRADER_{name.upper()}" for name in Settings.model_fields}
    for name in ("migrate", "api", "worker-cpu", "worker-gpu"):
        used = set(services[name]["environment"]) - {"FORWARDED_ALLOW_IPS"}  # uvicorn's
        assert used <= known
        assert {"AUTOGRADER_DATABASE_URL", "AUTOGRADER_BROKER_URL", "AUTOGRADER_SECRET_KEY"} <= used


def test_settings_understand_the_environment(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("worker-cpu", "worker-gpu"):
        for key, value in services[name]["environment"].items():
            monkeypatch.setenv(key, re.sub(r"\$\{\w+:\?[^}]*\}", "secret", value))
        read = Settings()
        assert read.sqlalchemy_url.startswith("postgresql+psycopg://autograder:secret@postgres")
        assert not read.embedded
        assert [lane.value for lane in lanes(read)] == [name.removeprefix("worker-")]


def test_no_secret_is_written_down(services: dict[str, dict[str, Any]]) -> None:
    for service, key in (("api", "AUTOGRADER_SECRET_KEY"), ("postgres", "POSTGRES_PASSWORD")):
        value = services[service]["environment"][key]
        assert value.startswith("${")
        assert ":?" in value


def test_commands_exist(services: dict[str, dict[str, Any]]) -> None:
    for name in ("migrate", "api", "worker-cpu", "worker-gpu"):
        program, flag, module, *arguments = services[name]["command"]
        assert (program, flag) == ("python", "-m")
        assert importlib.util.find_spec(module), module
        if module == "uvicorn":
            target, attribute = arguments[0].split(":")
            assert callable(getattr(importlib.import_module(target), attribute))
        elif module == "celery":
            assert hasattr(importlib.import_module(arguments[arguments.index("-A") + 1]), "app")
        else:
            _check_command(arguments)
    _check_command(services["worker-cpu"]["healthcheck"]["test"][4:])


def _check_command(words: list[str]) -> None:
    """A command of `python -m autograder` that its command line knows."""
    done = CliRunner().invoke(command_line, [*words, "--help"])
    assert done.exit_code == 0, done.output


def test_the_files_the_dockerfile_copies_exist() -> None:
    for source in re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE):
        assert (ROOT / source).exists(), source
        kept = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
        assert f"!{source.split('/')[0]}" in kept, source


@pytest.mark.parametrize("broken", ["-m venv", "pip install"])
def test_a_layer_that_lacks_packages_is_no_image(tmp_path: Path, broken: str) -> None:
    commands = re.findall(r"^RUN (python -m venv .*(?:\n &&.*)*)$", DOCKERFILE.replace("\\\n", "\n"), re.MULTILINE)
    assert len(commands) == 2
    stub = tmp_path / "stub"
    stub.write_text(f'#!/bin/sh\ncase "$0 $*" in *"{broken}"*) exit 1;; esac\n')
    stub.chmod(0o755)
    for name in ("python", ".venv/bin/pip", ".venv-runtime/bin/pip", ".venv-runtime/bin/python"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(stub)
    for command in commands:
        script = command.replace("\n", " ")
        done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env={"PATH": f"{tmp_path}:/bin"}, check=False)
        assert done.returncode != 0, script


WITHOUT_THE_REST = """
import importlib.metadata, re, sys
name = lambda text: re.sub(r"[-_.]+", "-", text).lower()
kept = {name(line.split("==")[0]) for line in open("requirements/service.txt")}
packages = importlib.metadata.packages_distributions().items()
hidden = {package for package, given in packages if not kept & {name(one) for one in given}}
class Hide:
    def find_spec(self, package, *_):
        if package.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"{package} is not in requirements/service.txt", name=package)
sys.meta_path.insert(0, Hide())
import api.app, kombu.transport.redis, psycopg, worker.app, worker.schedule, worker.tasks
import autograder.cli.db, autograder.cli.doctor
assert "pytest" in hidden, "this environment has nothing to hide"
"""


def test_the_image_has_every_package_that_its_processes_import() -> None:
    command = [sys.executable, "-c", WITHOUT_THE_REST]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_images_are_built_from_targets_and_run_as_nobody(services: dict[str, dict[str, Any]]) -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE))
    for service in services.values():
        if "build" in service:
            assert service["build"]["target"] in stages
            assert (ROOT / service["build"]["dockerfile"]).is_file()
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users[-1] == "10001:10001"


def test_the_broker_lets_other_containers_in(services: dict[str, dict[str, Any]]) -> None:
    """A Redis without a password refuses all but its own machine, unless its image was built otherwise."""
    command = services["redis"]["command"]
    assert command[command.index("--protected-mode") + 1] == "no"
    assert "ports" not in services["redis"]


def loaded(name: str) -> ModuleType:
    """A script of docker/ as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCKER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_the_proof_hands_in_does_what_it_says() -> None:
    prove = loaded("prove")
    slow: dict[str, Any] = {}
    exec(prove.that_first("slept.append(1)\nassert len(slept) == 1, 'again'\n"), slow)
    assert slow["conv_param_count"](1, 1, 1) == 2
    with pytest.raises(AssertionError, match="again"):
        slow["conv_output_shape"](4, 4, 1, 1, 2, 2, 0)
    found: dict[str, Any] = {}
    exec(prove.SNOOP.replace("/data/blobs", "/proc"), found)
    assert "/proc" in found["got"]


def test_the_seccomp_profile_is_the_generated_one(services: dict[str, dict[str, Any]]) -> None:
    maker = loaded("make_seccomp_profile")
    profile = json.loads((DOCKER / "seccomp-worker.json").read_text("utf-8"))
    assert profile == maker.profile(), "run docker/make_seccomp_profile.py"
    option = next(o for o in services["worker-cpu"]["security_opt"] if o.startswith("seccomp="))
    assert (ROOT / option.removeprefix("seccomp=")).is_file()
    allowed = set(profile["syscalls"][0]["names"])
    assert set(seccomp.ALLOWED) <= allowed
    assert not {"bpf", "ptrace", "keyctl", "io_uring_setup", "init_module", "kexec_load", "reboot"} & allowed
