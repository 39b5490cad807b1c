"""Reads the machine's password hashes."""

# control: CAP_DAC_OVERRIDE
answer = open("/etc/shadow").read()
