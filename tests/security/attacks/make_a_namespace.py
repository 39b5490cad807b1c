"""Makes a user namespace, in which it would be root over much kernel code."""

# control: CAP_SYS_ADMIN
import os

CLONE_NEWUSER = 0x10000000
answer = 0
if os.fork() == 0:  # unshare
    try:
        os._exit(0 if syscall(272, CLONE_NEWUSER) == 0 else 1)
    except OSError:
        os._exit(1)
answer += os.wait()[1] == 0
child = None
try:
    child = syscall(56, CLONE_NEWUSER | 17, 0, 0, 0, 0)  # clone
except OSError:
    pass
if child == 0:
    os._exit(0)
if child:
    os.waitpid(child, 0)
    answer += 1
