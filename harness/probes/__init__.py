"""The operations of docs/wire.md, one file each or a few that belong together; importing this registers them all."""

from harness.probes import (
    behave,
    calls,
    checkpoint,
    construct,
    forward,
    gradients,
    loading,
    moves,
    overfit,
    schedule,
    trace,
    train,
)

__all__ = ["behave", "calls", "checkpoint", "construct", "forward", "gradients", "loading", "moves", "overfit"]
__all__ += ["schedule", "trace", "train"]
