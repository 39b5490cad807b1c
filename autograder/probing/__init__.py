"""Asks one submission the probes of its spec: opens sandbox sessions, loads it, keeps what is hidden hidden.

`process` holds one student process: load, restart, taint. `probes` and its neighbours ask, one function a probe.
`untrusted` makes what comes back harmless. Once a hidden array or case has been sent to a student process, that process
and all that follow it are *tainted*: their words (output, error messages) could carry it, so from then on only facts
that can't hold much are passed on.
"""

from autograder.probing.prober import Prober

__all__ = ["Prober"]
