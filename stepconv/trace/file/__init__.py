"""A trace on disk, which may come from anybody, and a chain of them.

archive         arrays in a zip, with a header in JSON that lists their hashes
write           a trace's arrays and words
check           a file must not show what was never computed
read            the call made again, its numbers checked
chain           several traces in one file, what is linked kept once
"""
