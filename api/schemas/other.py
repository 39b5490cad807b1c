"""Tokens, problems and health as JSON."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TokenIn(BaseModel):
    """Sign-in of a program."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=200)
    password: str = Field(max_length=1024)
    label: str = Field("api", max_length=100, description="Where the token is used, for your own overview.")


class TokenOut(BaseModel):
    """A new token; it is shown only this once."""

    token: str


class ProblemOut(BaseModel):
    """A problem document (RFC 9457) with what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    hint: str = Field(description="What to do.")
    code: str = Field(description="Stable and machine-readable.")
    instance: str
    submission_id: str | None = Field(None, description="Where a refused upload was recorded.")


class HealthOut(BaseModel):
    """How the web process is."""

    status: str
