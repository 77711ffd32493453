"""Correlations on a GPU, forward and backward: the same shape as kernels/cpu/conv.

choose          the operations; looks at the plan and picks one of these:
loops           a thread for each cell, tap by tap
filter          one channel into one: pictures, depthwise layers
many_filters    a pass as a product of two matrices that are never built
…_weights       the gradient for the weights in the same manner
tiles           how much of a product one block computes, and each thread of it
"""
