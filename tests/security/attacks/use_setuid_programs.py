"""Looks for privileges that a set-uid program would give."""

# control: CAP_SETUID
import os

answer = []
for path in ("/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount", "/usr/bin/newgrp"):
    if os.path.exists(path) and os.stat(path).st_mode & 0o4000:
        flags = os.statvfs(path).f_flag
        answer += [path] if not flags & os.ST_NOSUID else []
