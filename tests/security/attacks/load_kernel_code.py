"""Loads a program into the kernel (bpf)."""

# control: CAP_BPF
import struct

attributes = struct.pack("IIII", 1, 4, 4, 1) + bytes(100)
answer = syscall(321, 0, attributes, len(attributes)) >= 0  # bpf(BPF_MAP_CREATE)
