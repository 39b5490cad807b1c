"""Holds memory in a System V segment that no process maps."""

# control: anyone
answer = syscall(29, 0, 1 << 20, 0o1600) >= 0  # shmget(IPC_PRIVATE)
if answer and not inside:
    import os

    os.system("ipcrm -m $(ipcs -m | awk '$4 == \"600\" && $5 == 1048576 {print $2; exit}') 2>/dev/null")
