"""Loads a kernel module (a broken one: any error but a refusal would be a hole)."""

# control: none: machines differ in whether anybody may load modules
import errno

try:
    syscall(175, b"\0" * 64, 64, b"")  # init_module
    answer = 1
except OSError as error:
    answer = error.errno not in (errno.EPERM, errno.ENOSYS)
