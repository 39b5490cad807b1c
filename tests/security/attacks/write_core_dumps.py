"""Has the machine's handler for crashes run, which may be a program of root's."""

# control: anyone
import os
import resource

try:
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    answer = resource.getrlimit(resource.RLIMIT_CORE)[0] > 0
except (OSError, ValueError):
    answer = 0
