"""Training small networks: data in, a run folder out, events on the way.

- `data/`: pictures with labels, found, downloaded or made.
- `look`: what is in a data set, before anything is learnt from it.
- `augment`: pictures changed while training; `chance`: what luck they have; `feed`: what becomes of
  their numbers before a network reads them.
- `recipe`: the choices; `loop`: a generator of `events`; screens and files listen.
- `runs`: the loop with a folder, from which it goes on; `lock` keeps others out of it; `start`: the
  weights of another; `health`: whether anything is learnt.
- `keeping/`: moments of the network on its way, and what was changed while it learnt.
- `trained`: a run that is over, with its `history`; `judge`: what it is worth.
"""
