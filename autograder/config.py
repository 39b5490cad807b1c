"""Settings from the environment (prefix AUTOGRADER_). With nothing set everything lives in ./var on one machine."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from autograder.model import Lane

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every setting, with the default that suits one machine and no servers."""

    model_config = SettingsConfigDict(env_prefix="AUTOGRADER_", extra="ignore", frozen=True)

    var_dir: Path = Field(ROOT / "var", description="Where the embedded database, blobs and logs live.")
    database_url: str = Field("", description="SQLAlchemy URL. Empty: SQLite in var_dir.")
    broker_url: str = Field(
        "memory://", description="Celery broker. memory:// is the embedded default; redis://… else."
    )
    blob_dir: Path | None = Field(None, description="Shared directory of uploads. Empty: var_dir/blobs.")
    data_dir: Path | None = Field(None, description="Folder of real data sets. Empty: generated stand-ins.")
    data_secret: str = Field(
        "", description="Moves the seeds of data sets, so that who knows a builder can't make the hidden data."
    )
    specs_dir: Path = Field(ROOT / "grader_specs", description="Folder of grader specs.")
    solutions_dir: Path = Field(ROOT / "reference_solutions", description="Folder of reference solutions.")
    runtime_python: Path = Field(ROOT / ".venv-runtime/bin/python", description="Python that runs student code.")
    sandbox: str = Field(
        "forkserver", description="forkserver (warm), bubblewrap (its slow twin), or subprocess (weak)."
    )
    allow_weak_sandbox: str = Field(
        "",
        description="The sandbox subprocess isolates nothing; it opens if this says: I trust everyone who can upload",
    )
    cgroup: str = Field(
        "auto", description="Where each session gets a control group of its own: auto, off, or a cgroup folder."
    )
    secret_key: str = Field("", description="Signs sessions. Empty: made once and kept in var_dir/secret_key.")
    public_url: str = Field("http://127.0.0.1:8000", description="Address people use; shown in links.")
    lanes: str = Field("cpu", description="Lanes this worker serves, comma separated.")
    workers: int = Field(0, ge=0, description="Grading processes per worker. 0: one per core.")
    max_upload_mb: int = Field(50, ge=1, description="Largest upload.")
    lease_s: float = Field(
        20.0, gt=0, description="A running job whose worker is silent this long is given to another."
    )
    poll_s: float = Field(0.1, gt=0, description="Embedded queue: how often the worker looks for new jobs.")
    sweep_s: float = Field(5.0, gt=0, description="How often expired leases and forgotten jobs are looked for.")
    max_tries: int = Field(3, ge=1, description="Gradings that may die under a job before it ends as grader_error.")

    @cached_property
    def sqlalchemy_url(self) -> str:
        """The database URL in force; a plain postgresql:// gets the psycopg driver."""
        if not self.database_url:
            return f"sqlite:///{self.var_dir / 'autograder.db'}"
        return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)

    @cached_property
    def blobs(self) -> Path:
        """The blob directory in force."""
        return self.blob_dir or self.var_dir / "blobs"

    @property
    def embedded(self) -> bool:
        """True if no broker was configured, so that workers find jobs by looking into the database."""
        return self.broker_url.startswith("memory://")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()


def lanes(conf: Settings) -> tuple[Lane, ...]:
    """The lanes that a worker with these settings serves. Raises ValueError for a name that is none."""
    names = [name.strip() for name in conf.lanes.split(",") if name.strip()]
    unknown = sorted(set(names) - {lane.value for lane in Lane})
    if unknown or not names:
        raise ValueError(f"AUTOGRADER_LANES is '{conf.lanes}'; use {' or '.join(Lane)}, comma separated")
    return tuple(dict.fromkeys(Lane(name) for name in names))
