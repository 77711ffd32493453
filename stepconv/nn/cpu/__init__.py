"""Steps become rows of a program for the CPU; nn/cuda has the same files for a GPU.

program         a network as a program, and the batches that run through it
writer          where a network's numbers lie, and rows that say what to do with them
layers          what conv and dense write, forward and back; winograd: 3x3 layers by name
cells           what pools, activations, norms and branches write
windows         which cells a window reads, as tables
"""
