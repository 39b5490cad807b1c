"""Opens performance counters, which leak what others compute."""

# control: CAP_PERFMON
import struct

attributes = struct.pack("IIQ", 1, 112, 1) + bytes(96)
answer = syscall(298, attributes, 0, -1, -1, 0) >= 0  # perf_event_open
