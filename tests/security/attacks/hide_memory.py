"""Holds memory in a nameless file that no mount counts."""

# control: anyone
answer = syscall(319, b"x", 0) >= 0  # memfd_create
