"""Tests that start the real harness in the runtime's Python, without a sandbox."""
