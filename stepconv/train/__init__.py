"""Training small networks: data in, a run folder out, events on the way.

- `data`: pictures with labels, found, downloaded or made; `digits` makes them.
- `augment`: pictures shifted, turned and scaled while training; `centre`: one brought into the form
  that a network knows.
- `recipe`: the choices; `loop`: a generator of `events`; screens and files listen.
- `runs`: the loop with a folder, from which it goes on; `judge`: what came out of it.
"""
