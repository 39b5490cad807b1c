"""Raises a hard limit."""

# control: CAP_SYS_RESOURCE
import resource

for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE):
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (1000, 1000))
    resource.setrlimit(kind, (2000, 2000))
answer = 1
