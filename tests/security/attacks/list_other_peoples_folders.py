"""Lists the folders in which people and services keep their things."""

# control: anyone
import os

answer = []
for folder in ("/home", "/root", "/var/lib", "/var/log", "/srv", "/mnt", "/media", "/run/user", given["project"]):
    try:
        answer += os.listdir(folder)
    except OSError:
        pass
