"""Uses io_uring, which would pass the system call filter by."""

# control: CAP_SYS_ADMIN
import ctypes

answer = syscall(425, 4, ctypes.create_string_buffer(120)) >= 0
