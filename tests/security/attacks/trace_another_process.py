"""Attaches to another process as a debugger would."""

# control: CAP_SYS_PTRACE
answer = 0
for process in (given["victim"], 1):
    try:
        syscall(101, 0x4206, process, 0, 0)  # ptrace(PTRACE_SEIZE)
        answer += 1
    except OSError:
        pass
