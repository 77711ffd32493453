"""Steps become rows of a program for the CPU.

program         a network as a program, and the batches that run through it
writer          rows that say which kernel does what with which numbers, stage by stage
layers          conv and dense as rows; winograd: 3x3 layers by name
cells           pools, activations, norms and sums as rows
windows         which cells a window reads, as tables
"""
