"""Takes the processor from everybody else."""

# control: CAP_SYS_NICE
import os

answer = 0
try:
    os.setpriority(os.PRIO_PROCESS, 0, -10)
    answer = 1
except OSError:
    pass
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    answer = 1
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
except OSError:
    pass
