"""Ignores every signal and sets alarms that jump out of whatever runs."""

import signal


def leap(*_):
    raise SystemExit(0)


for number in range(1, 65):
    try:
        signal.signal(number, leap if number == signal.SIGALRM else signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
# verdict: crashed
