"""Makes a child that is its parent's parent's, which does not expect one and never reaps it."""

# control: anyone
answer = syscall(56, 0x8000 | 17, 0, 0, 0, 0)  # clone(CLONE_PARENT | SIGCHLD)
if answer == 0:
    import os

    os._exit(0)
