"""Can this process reach what it needs?"""

from __future__ import annotations

import logging
import os

from sqlalchemy import text

from autograder.config import settings
from autograder.storage.session import read_scope

log = logging.getLogger("autograder.health")


def ready() -> bool:
    """True if the database answers under the right schema and uploads can be written. Never raises."""
    try:
        with read_scope() as session:
            session.execute(text("SELECT 1"))
        folder = settings().blobs
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"{folder} can't be written")
    except Exception:
        log.exception("not ready")
        return False
    return True
