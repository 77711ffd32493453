"""Training small networks: data in, a run folder out, events on the way.

- `data`: pictures with labels, found, downloaded or made; `digits` makes them.
- `augment`: pictures shifted, turned and scaled while training.
- `loop`: a generator of `events`; screens and files listen.
"""
