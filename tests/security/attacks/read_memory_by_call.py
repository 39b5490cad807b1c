"""Reads another process's memory with process_vm_readv."""

# control: CAP_SYS_PTRACE
import ctypes

buffer = ctypes.create_string_buffer(16)
local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 16)
remote = (ctypes.c_void_p * 2)(given["victim_address"], 16)
answer = syscall(310, given["victim"], local, 1, remote, 1, 0)
