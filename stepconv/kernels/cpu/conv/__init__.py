"""Correlations on the CPU, forward and backward: `choose` decides which kernel serves a call best.

    choose          the operations; looks at the plan and picks one of these:
    loops           plain loops: integers, and calls so small that nothing else pays
    filter          one channel into one: plain images, depthwise layers; filter_tiles: its vectors
    separable       the same for kernels that are a column times a row
    fourier         the same for large kernels, by transforms; fourier_proof: that they may be used
    tasks           how layers are cut into tasks, and gradients of their weights into parts
    few_filters     layers: a vector holds neighbouring cells of one filter's output
    many_filters    layers: a vector holds one cell of as many filters as it has lanes
    winograd        3x3 layers with fewer multiplications, by name

`…_weights` beside one of them is the gradient for the weights in the same manner. All of them turn
a call into passes (kernels/passes.py) or planes, cut these into tasks, and let each task run tiles.
"""
