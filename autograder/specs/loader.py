"""Reads grader specs: YAML to models, with errors that name file, line and what to do."""
