"""Makes pairs of connected sockets in families other than Unix ones."""

# control: none: only kernels with rare modules (TIPC) make such pairs
import ctypes

answer, pair = [], (ctypes.c_int * 2)()
for family in (n for n in range(50) if n != 1):
    for kind in (1, 2, 5):
        try:
            answer.append([family, kind, syscall(53, family, kind, 0, pair)])
        except OSError:
            pass
