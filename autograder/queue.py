"""Wakes workers. The database holds the jobs; a message only says that there is something to look for."""
