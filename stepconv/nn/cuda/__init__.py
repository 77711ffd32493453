"""Steps become launches for a GPU: the same shape as nn/cpu.

program         a network as a program, and the batches that run through it
writer          where a network's numbers lie on the card
layers          each step's launches, forward and back
"""
