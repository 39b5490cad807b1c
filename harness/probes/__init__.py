"""The operations of docs/wire.md, one file each or a few that belong together; importing this registers them all."""

from harness.probes import calls, construct, forward, gradients, loading, overfit, train

__all__ = ["calls", "construct", "forward", "gradients", "loading", "overfit", "train"]
