"""Writes a kernel setting (the value it already has)."""

# control: CAP_SYS_ADMIN
path = "/proc/sys/kernel/core_pattern"
value = open(path).read()
open(path, "w").write(value)
answer = 1
