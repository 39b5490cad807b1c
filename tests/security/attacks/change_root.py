"""Changes its root directory."""

# control: CAP_SYS_CHROOT
import os

os.mkdir("root")
if os.fork() == 0:
    try:
        os.chroot("root")
        os._exit(0)
    except OSError:
        os._exit(1)
answer = os.wait()[1] == 0
