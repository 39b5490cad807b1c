"""Runs commands, as notebooks do."""

import subprocess

listing = subprocess.run("ls -la /work | wc -l && mkdir -p data && cp /etc/passwd data/ && grep -c student data/passwd",
                         shell=True, capture_output=True, text=True)
answer = listing.returncode == 0 and listing.stdout.split()[-1] == "1"
