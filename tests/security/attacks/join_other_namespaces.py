"""Joins the namespaces of other processes."""

# control: CAP_SYS_ADMIN
import os

answer = 0
if os.fork() == 0:
    done = 1
    for process in (given["victim"], 1, os.getppid()):
        for kind in ("net", "mnt", "ipc", "uts", "pid", "user"):
            try:
                done = 0 if syscall(308, os.open(f"/proc/{process}/ns/{kind}", 0), 0) == 0 else done
            except OSError:
                pass
    os._exit(done)
answer = os.wait()[1] == 0
