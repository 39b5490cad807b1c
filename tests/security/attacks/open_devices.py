"""Opens disks, memory and terminals."""

# control: CAP_DAC_OVERRIDE
import glob
import os

answer = []
for path in ["/dev/mem", "/dev/kmsg", "/dev/ptmx", "/dev/fuse", "/dev/kvm", *glob.glob("/dev/[sv]d*")]:
    try:
        answer += [path] if os.open(path, os.O_RDONLY | os.O_NONBLOCK) else []
    except OSError:
        pass
