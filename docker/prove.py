"""Proves docker-compose.yml on this machine's engine: builds, starts, grades, kills the worker in a grading, removes.

    python3 docker/prove.py            # several minutes, most of them for the images; needs no environment of ours
    python3 docker/prove.py --keep     # leave the service running, to look at it

It can run beside a service in use: it has a project name, a port and volumes of its own, and removes them at the end.
COMPOSE names another command than `docker compose`. Exit code 0: everything held; 1: something did not.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "autograder-proof"
SPEC = "ccds-conv-arithmetic"
REFERENCE = (ROOT / "reference_solutions" / SPEC / "accepted" / "reference.py").read_text("utf-8")
PEOPLE = f"""
from autograder.model import Role
from autograder.services import accounts
accounts.ensure_course("proof", "Proof")
accounts.ensure_assignment("{SPEC}", "proof", "{SPEC}", "Proof")
person = accounts.create_user("proof@example.org", "Proof", "{secrets.token_urlsafe(12)}")
accounts.enrol("proof", person.id, Role.STUDENT)
print(accounts.create_token(person.id, "proof"))
"""
# What a worker's container has and a student must not: settings with passwords, uploads, data, graders, the network.
SNOOP = """\
import os, socket
got = [name for name in os.environ if name.startswith("AUTOGRADER_")]
got += [path for path in ("/data/blobs", "/data/sets", "/app/grader_specs", "/app/autograder") if os.path.exists(path)]
for place in (("postgres", 5432), ("redis", 6379)):
    try:
        socket.create_connection(place, 2).close()
        got.append(place[0])
    except OSError:
        pass
"""
SNOOPED = 8  # what it gets outside a sandbox at least
COUNT = """
select count(distinct j.id), count(r.job_id)
from grading_jobs j left join grade_reports r on r.job_id = j.id where j.submission_id = :'id'
"""


class Failed(Exception):
    """Something did not hold."""


class Service:
    """The composed service under a name of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = ""
        self._command = [*shlex.split(os.environ.get("COMPOSE", "docker compose")), "-p", PROJECT]
        self.program = self._command[0]
        self._environment = os.environ | {
            "AUTOGRADER_SECRET_KEY": secrets.token_hex(32),
            "AUTOGRADER_DB_PASSWORD": secrets.token_hex(16),
            "AUTOGRADER_LISTEN": f"127.0.0.1:{port}",
        }

    def compose(self, *words: str, stdin: str | None = None, quiet: bool = False) -> str:
        """Run compose; its output if it is short and wanted. Raises Failed."""
        done = subprocess.run(
            [*self._command, *words],
            cwd=ROOT,
            env=self._environment,
            input=stdin,
            stdout=subprocess.PIPE if quiet else None,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"compose {' '.join(words)} ended with {done.returncode}\n{done.stdout or ''}")
        return done.stdout or ""

    def inside(self, service: str, *words: str, stdin: str | None = None) -> str:
        """What a command prints in a running container. Raises Failed."""
        return self.compose("exec", "-T", service, *words, stdin=stdin, quiet=True).rstrip()

    def ask(self, path: str, upload: bytes | None = None) -> dict[str, Any]:
        """An answer of the JSON interface, through the published port; upload: a submission. Raises OSError, Failed."""
        headers, body = {"Authorization": f"Bearer {self.token}"}, None
        if upload is not None:
            head = b'--proof\r\nContent-Disposition: form-data; name="file"; filename="proof.py"\r\n\r\n'
            body = head + upload + b"\r\n--proof--\r\n"
            headers["Content-Type"] = "multipart/form-data; boundary=proof"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET" if body is None else "POST", path, body, headers)
        with connection.getresponse() as response:
            said = response.read()
        if response.status >= 300:
            raise Failed(f"{path} answered {response.status}: {said[:500]!r}")
        answer: dict[str, Any] = json.loads(said)
        return answer

    def hand_in(self, code: str) -> str:
        """The id of a new submission."""
        return str(self.ask(f"/api/v1/assignments/{SPEC}/submissions", code.encode())["id"])

    def wait_for(self, submission: str, *states: str, seconds: float = 180) -> dict[str, Any]:
        """The submission once it is in one of these states. Raises Failed."""
        until = time.monotonic() + seconds
        while (found := self.ask(f"/api/v1/submissions/{submission}"))["status"] not in states:
            if time.monotonic() > until:
                raise Failed(f"after {seconds:.0f} s the submission is still {found['status']}")
            time.sleep(0.2)
        return found

    def count(self, submission: str) -> str:
        """Jobs and reports of a submission, as the database has them."""
        psql = ("psql", "-U", "autograder", "-d", "autograder", "-At", "-v", f"id={submission}")
        return self.inside("postgres", *psql, stdin=COUNT)


def prove(service: Service) -> None:
    """Every step, one after the other. Raises Failed at the first that does not hold."""
    service.compose("down", "--volumes")  # what an earlier run was told to keep
    service.compose("build", "api", "worker-cpu")
    service.compose("up", "-d", "--no-build", "postgres", "redis", "migrate", "api", "worker-cpu")
    wait_up(service)
    say("the service is up, the database migrated")

    print(service.inside("worker-cpu", "python", "-m", "autograder", "doctor"), flush=True)
    say("the worker's container lets sandboxes be made")

    service.token = service.inside("api", "python", "-", stdin=PEOPLE).splitlines()[-1]
    verdict(service.wait_for(service.hand_in(REFERENCE), "done"), "passed")
    say("a right submission, handed in through the published port, passes")

    outside = service.inside("worker-cpu", "python", "-", stdin=f"{SNOOP}\nprint(len(got), *got)")
    if int(outside.split()[0]) < SNOOPED:
        raise Failed(f"outside a sandbox too little was found to prove anything: {outside}")
    raising = SNOOP + "if got:\n    raise RuntimeError(f'GOT {got}')\n"
    verdict(service.wait_for(service.hand_in(that_first(raising)), "done"), "passed")
    control = raising.replace('"/data/blobs"', '"/proc"')  # there is one: shows that the code runs and would be heard
    verdict(service.wait_for(service.hand_in(that_first(control)), "done"), "failed")
    say("a submission reaches nothing of what its worker can (settings, uploads, graders, database, broker)")

    slow = service.hand_in(that_first("import time\nif not slept:\n    slept.append(1)\n    time.sleep(7)\n"))
    service.wait_for(slow, "running")
    time.sleep(3)
    service.compose("kill", "worker-cpu")
    state = service.ask(f"/api/v1/submissions/{slow}")["status"]
    if state != "running":
        raise Failed(f"the worker was to be killed while it grades, but the submission is {state}")
    service.compose("start", "worker-cpu")
    verdict(service.wait_for(slow, "done"), "passed")
    if (counted := service.count(slow)) != "1|1":
        raise Failed(f"one job and one report were expected, the database has {counted}")
    say("a submission whose worker was killed is graded by the next, once")


def wait_up(service: Service) -> None:
    """Wait until the web process is ready. Raises Failed."""
    until = time.monotonic() + 120
    while True:
        try:
            service.ask("/readyz")
        except (OSError, http.client.HTTPException, Failed) as error:
            if time.monotonic() > until:
                raise Failed(f"the web process is not ready: {error}") from error
            time.sleep(1)
        else:
            return


def that_first(code: str) -> str:
    """A right solution that does something else first, where every call comes along."""
    begins = "def check(sizes, padding=0"
    head, found, rest = REFERENCE.partition(f"{begins}):\n")
    if not found:
        raise Failed("the reference solution is not the one that this script knows")
    return f"{head}{begins}, slept=[]):\n{textwrap.indent(code, '    ')}{rest}"


def verdict(submission: dict[str, Any], wanted: str) -> None:
    """Raises Failed if the submission got another verdict."""
    report = submission["report"]
    if not report or report["verdict"] != wanted:
        raise Failed(f"the submission's verdict was to be {wanted}: {json.dumps(report)[:2000]}")


def say(words: str) -> None:
    """A line about what holds."""
    print(f"proven: {words}", flush=True)


def main() -> int:
    """Prove, tell, clean up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=18000, help="where the web process listens meanwhile (18000)")
    parser.add_argument("--keep", action="store_true", help="leave the service running at the end")
    chosen = parser.parse_args()
    service = Service(chosen.port)
    if shutil.which(service.program) is None:
        parser.error(f"{service.program} is not installed (COMPOSE names another command)")
    try:
        prove(service)
    except Failed as failure:
        print(f"NOT PROVEN: {failure}", file=sys.stderr)
        service.compose("logs", "--tail=30", "worker-cpu", "api")
        return 1
    finally:
        if not chosen.keep:
            service.compose("down", "--volumes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
