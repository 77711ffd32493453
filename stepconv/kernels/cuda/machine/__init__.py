"""What kernels need round them on a GPU: memory, launches, arrays.

numba_parts     every name that is private to Numba or numba-cuda, and what it is for
launch          the decorators, grids, and launches that are written down for later
memory          memory that is used again, and errors in plain words
moving          the kernels behind new arrays: filled, of another type, mirrored
array           an array in the memory of a GPU, with NumPy's manners
transfers       copies between the host and the card
places          from the number of a thread to the cell that it computes
sums            sums of very many numbers into few, always in the same order

Each file imports only from those above it.
"""
