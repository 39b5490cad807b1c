"""Makes a control group, to leave its own."""

# control: CAP_SYS_ADMIN
import glob
import os

for parent in [*glob.glob("/sys/fs/cgroup/unified"), *glob.glob("/sys/fs/cgroup/pids"), "/sys/fs/cgroup"]:
    os.mkdir(parent + "/autograder-attack")
    os.rmdir(parent + "/autograder-attack")
    break
answer = 1
