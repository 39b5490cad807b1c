"""Makes a node for a device."""

# control: CAP_MKNOD
import os
import stat

os.mknod("node", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
answer = 1
