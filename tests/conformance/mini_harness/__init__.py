"""A stand-in for the harness that starts in milliseconds: runs code strings it is sent."""
