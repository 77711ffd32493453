"""Training small networks: data in, a run folder out, events on the way.

- `data/`: pictures with labels, found, downloaded or made.
- `augment`: pictures shifted, turned and scaled while training; `chance`: what luck they have.
- `recipe`: the choices; `loop`: a generator of `events`; screens and files listen.
- `runs`: the loop with a folder, from which it goes on; `judge`: what came out of it.
"""
