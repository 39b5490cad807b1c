"""Reads where the kernel's functions lie, the first step of many an exploit."""

# control: CAP_SYSLOG
answer = 0
for path in ("/proc/kallsyms", "/proc/modules"):
    try:
        for line in open(path):
            words = line.split()
            address = words[0] if path.endswith("kallsyms") else words[-1]
            answer += address.startswith(("ffff", "0xffff"))
    except OSError:
        pass
