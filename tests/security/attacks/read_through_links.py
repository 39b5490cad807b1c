"""Reads the password hashes through links and the roots of other processes."""

# control: CAP_DAC_OVERRIDE
import os

answer = ""
os.symlink("/etc/shadow", "link")
for path in ("link", "/proc/self/root/etc/shadow", "/proc/1/root/etc/shadow", "/proc/1/cwd/../../etc/shadow"):
    try:
        answer += open(path).read()
    except OSError:
        pass
