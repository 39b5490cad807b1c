"""Looks for the worker's secrets in every process's environment."""

# control: anyone
import glob

answer = []
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        answer += [path] if given["secret"].encode() in open(path, "rb").read() else []
    except OSError:
        pass
