"""Looks for secrets in what it was started with: arguments, environment, descriptors, mounts."""

import glob

text = repr(dict(os.environ)) + repr(sys.argv) + repr(sys.orig_argv)
for path in glob.glob("/proc/*/cmdline") + glob.glob("/proc/*/environ"):
    try:
        text += repr(open(path, "rb").read())
    except OSError:
        pass
for word in ("SECRET", "PASSWORD", "DATABASE", "BROKER", "postgres", "redis", "grader_specs", "vault"):
    if word in text:
        got(word)
