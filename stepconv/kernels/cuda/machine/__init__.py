"""What kernels need round them on a GPU: memory, launches, arrays.

launch          the decorators, transfers, grids, and errors in plain words
array           an array in the memory of a GPU
moving          new arrays and other types, before and after the kernels
places          from the number of a thread to the cell that it computes
sums            sums of very many numbers into few, always in the same order
"""
