"""What trains on a GPU, beside the operations: the counterpart of kernels/cpu/lanes.

    matrix          dense layers, forward and both ways back
    ends            what becomes of a sum before it is written: an activation, a step of a way back
    norms           batch normalisation
    cells           activations, sums of branches, dropout
    batches         where a batch goes in and what comes out
    updates         the optimisers' formulas
    sequence        launches that run again and again as one CUDA graph

nn/cuda writes the launches down; `sequence` runs them.
"""
