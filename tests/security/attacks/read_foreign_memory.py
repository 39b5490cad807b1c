"""Reads the memory of every process it can open."""

# control: CAP_SYS_PTRACE
import os
import re

answer = []
for process in {given["victim"], 1, *(int(n) for n in os.listdir("/proc") if n.isdigit() and inside)} - {os.getpid()}:
    try:
        with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
            memory.seek(int(re.search(r"^(\w+)-\w+ rw", maps.read(), re.M)[1], 16))
            answer += [process] if memory.read(16) else []
    except OSError:
        pass
