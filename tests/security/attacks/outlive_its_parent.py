"""Leaves a daemon that is nobody's child, and looks whether it got the machine's first process as a parent."""

# control: none: who adopts an orphan differs between machines and containers
import os

reading, writing = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time

        time.sleep(0.1)
        try:
            os.write(writing, open(f"/proc/{os.getppid()}/comm").read().encode())
        except OSError:
            os.write(writing, b"-")
    os._exit(0)
os.close(writing)
os.wait()
answer = os.read(reading, 100).strip() in (b"systemd", b"init")
