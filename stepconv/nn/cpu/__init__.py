"""Steps become rows of a program for the CPU; nn/cuda has the same files for a GPU.

program         a network as a program, and the batches that run through it
writer          where a network's numbers lie, and rows that say what to do with them
layers          what conv and dense write, forward and back; winograd: 3x3 layers by name
cells           what pools, activations, norms and branches write
channels        answers for a few pictures at once: a program of another layout
memory          where a program's arrays and code lie; portable: in a browser, and its twin here
layout          all that a page needs to train a network, written in a process of its own
windows         which cells a window reads, as tables
"""
