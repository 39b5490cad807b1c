"""Handles page faults of the kernel itself (userfaultfd), the start of many exploits."""

# control: CAP_SYS_PTRACE
answer = syscall(323, 0) >= 0
