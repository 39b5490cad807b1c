"""Sets the machine's clock (to what it shows)."""

# control: CAP_SYS_TIME
import time

time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME))
answer = 1
