"""Wakes workers. The database holds the jobs; a message only says that there is something to look for."""

from __future__ import annotations

import logging
from functools import lru_cache

from celery import Celery
from kombu.exceptions import KombuError

from autograder.config import settings

TASK = "worker.grade_pending"
_PATIENCE_S = 2.0
_log = logging.getLogger(__name__)


def wake(lane: str) -> None:
    """Tell the workers of a lane to look for jobs. Never raises: a wake-up that is lost is made up for by the sweep.

    With the embedded queue there is nothing to send, because the worker looks into the database by itself.
    """
    if settings().embedded:
        return
    try:
        _sender().send_task(TASK, args=[lane], queue=lane, retry=False, ignore_result=True)
    except (KombuError, OSError) as error:
        _log.warning("could not wake the %s workers (%s); they will find the job within a sweep", lane, error)


def forget() -> None:
    """Close the connection to the broker; the next wake-up opens one to the broker of the settings in force."""
    if _sender.cache_info().currsize:
        _sender().close()
        _sender.cache_clear()


@lru_cache(maxsize=1)
def _sender() -> Celery:
    app = Celery("autograder-sender", broker=settings().broker_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        broker_connection_timeout=_PATIENCE_S,
        broker_transport_options={
            "socket_timeout": _PATIENCE_S,
            "socket_connect_timeout": _PATIENCE_S,
            "max_retries": 0,
        },
    )
    return app
