"""Steps become launches for a GPU; nn/cpu has the same files for the CPU.

program         a network as a program, and the batches that run through it
writer          where a network's numbers lie on the card
layers          what conv and dense write, forward and back
cells           what pools, activations, norms and branches write
"""
