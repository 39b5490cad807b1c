"""Watches what others do with files."""

# control: CAP_SYS_ADMIN
answer = syscall(300, 0, 0) >= 0  # fanotify_init
