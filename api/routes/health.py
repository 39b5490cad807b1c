"""Is the process alive, and can it work?"""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.schemas.other import HealthOut
from autograder.services import health

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> HealthOut:
    """The process answers."""
    return HealthOut(status="ok")


@router.get("/readyz", responses={503: {"model": HealthOut}})
def readyz(response: Response) -> HealthOut:
    """The database and the upload folder answer too; 503 if not. What exactly is wrong stands in the log."""
    if health.ready():
        return HealthOut(status="ok")
    response.status_code = 503
    return HealthOut(status="not ready")
