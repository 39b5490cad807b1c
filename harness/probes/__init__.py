"""The operations of docs/wire.md, one file each or a few that belong together; importing this registers them all."""

from harness.probes import behave, calls, construct, forward, gradients, loading, moves, overfit, trace, train

__all__ = ["behave", "calls", "construct", "forward", "gradients", "loading", "moves", "overfit", "trace", "train"]
