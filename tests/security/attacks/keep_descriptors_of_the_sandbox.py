"""Uses descriptors that whoever started it forgot to close."""

# control: anyone
import os

answer = []
for name in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        continue
    if int(name) > 3 and not target.startswith(("/proc/self", f"/proc/{os.getpid()}", "/dev/null")):
        answer.append(target)
