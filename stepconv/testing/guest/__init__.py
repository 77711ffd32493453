"""A function of somebody else's as a guest: in a process of its own, in time, believed in nothing.

- `acts`: what is done with such a function: found in a file or notebook, described, called;
- `bans`: what it may not do: import the answers, start programs, take all memory;
- `process`: the process that does it, at the far end of two pipes;
- `host`: our end, which waits so long and no longer, and reads answers as a stranger's.
"""
