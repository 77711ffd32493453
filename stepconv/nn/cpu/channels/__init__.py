"""Steps become rows for a few pictures: one channel in each lane, as kernels/cpu/channels has it.

program         a network as a program for so many pictures, and the pictures that run through it
writer          where the numbers of all steps lie, and rows that say what to do with them
memory          which tensors take turns in one place
layers          what conv and dense write, and how their weights are packed
cells           what pools, norms, branches and activations write
windows         where the pixels of each window lie, as tables
"""
