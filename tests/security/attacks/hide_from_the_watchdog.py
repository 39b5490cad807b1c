"""Makes its own process unreadable from outside."""

# control: anyone
answer = syscall(157, 4, 0, 0, 0, 0) == 0  # prctl(PR_SET_DUMPABLE, 0)
if not inside:
    syscall(157, 4, 1, 0, 0, 0)
