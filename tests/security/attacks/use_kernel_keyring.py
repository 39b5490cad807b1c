"""Keeps a secret in the kernel's keyring, which outlives processes."""

# control: anyone
answer = syscall(248, b"user", b"autograder-attack", b"x", 1, -2) > 0  # add_key to the process keyring
