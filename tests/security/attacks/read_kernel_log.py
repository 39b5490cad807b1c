"""Reads the kernel's log, which holds addresses."""

# control: CAP_SYSLOG
import ctypes

answer = syscall(103, 3, ctypes.create_string_buffer(4096), 4096)  # syslog
