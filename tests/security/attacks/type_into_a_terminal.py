"""Types a command into the terminal it was started from."""

# control: none: kernels from 6.2 on refuse it to everybody, and tests have no terminal
import fcntl

answer = 0
for descriptor in range(3):
    try:
        fcntl.ioctl(descriptor, 0x5412, b"\n")  # TIOCSTI
        answer += 1
    except OSError:
        pass
