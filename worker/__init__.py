"""The Celery process: takes wake-ups, grades what waits, sweeps."""
