"""probe → check → score, on one screen."""
