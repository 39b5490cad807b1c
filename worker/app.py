"""The Celery application: lanes as queues, JSON only, nothing that matters in the broker.

Start it with: python -m celery -A worker.app worker --loglevel=INFO
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

from autograder.config import Settings, lanes, settings


def make_app(conf: Settings) -> Celery:
    """A Celery application for these settings."""
    broker = "memory://localhost//" if conf.embedded else conf.broker_url
    made = Celery("autograder", broker=broker, include=["worker.tasks", "worker.schedule"])
    made.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        # A wake-up is done with once it was read: the database knows what is left to do.
        task_acks_late=False,
        task_queues={lane.value: {"exchange": lane.value, "routing_key": lane.value} for lane in lanes(conf)},
        task_default_queue=lanes(conf)[0].value,
        worker_concurrency=conf.workers or os.cpu_count() or 1,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=True,
        worker_redirect_stdouts=False,
        # A loaded machine takes long to start a process; Celery would kill it after 4 s.
        worker_proc_alive_timeout=60.0,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        **_transport(conf),
    )
    return made


def _transport(conf: Settings) -> dict[str, Any]:
    if conf.embedded:
        return {"broker_transport_options": {"polling_interval": 0.05}}
    return {
        "broker_transport_options": {"socket_keepalive": True, "socket_connect_timeout": 5.0},
        # A worker that is busy must not sit on a wake-up that an idle one could use.
        "worker_disable_prefetch": True,
    }


app = make_app(settings())
