"""Database, services, queue and worker, on real servers."""
