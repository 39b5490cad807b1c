"""Takes a file descriptor out of another process."""

# control: CAP_SYS_PTRACE
answer = 0
for process in (given["victim"], 1):
    try:
        answer += syscall(438, syscall(434, process, 0), 0, 0) >= 0  # pidfd_open, pidfd_getfd
    except OSError:
        pass
