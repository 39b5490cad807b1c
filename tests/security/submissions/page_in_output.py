"""Prints what a page must not run."""

print("</pre><script>document.title='owned'</script><img src=x onerror=alert(1)>{{ 7*7 }}{% raw %}")
print("\x1b[31m\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07")
