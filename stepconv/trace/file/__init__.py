"""A trace on disk, which may come from anybody.

write           NumPy arrays in a zip, with a header in JSON that lists their hashes
read            read with suspicion
check           a file must not show what was never computed
"""
