"""Mounts a file system."""

# control: CAP_SYS_ADMIN
import os

answer = 0
if os.fork() == 0:
    try:
        syscall(272, 0x20000)  # unshare: outside, leave the machine's mounts alone
    except OSError:
        pass
    try:
        os.makedirs("/tmp/mount-attack", exist_ok=True)
        syscall(165, b"none", b"/", None, 1 << 18 | 16384, None)  # make everything private
        os._exit(0 if syscall(165, b"tmpfs", b"/tmp/mount-attack", b"tmpfs", 0, None) == 0 else 1)
    except OSError:
        os._exit(1)
answer = os.wait()[1] == 0
