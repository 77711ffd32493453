"""What answers for a few pictures on the CPU: kernels that hold one channel in each lane.

    sums            conv and dense: sums of a window's products, for many filters at once
    depthwise       a conv whose channels have a filter each of their own
    pools           the largest number or the mean of each window
    cells           what is done pixel by pixel: norms, sums of branches, activations, copies
    pictures        pictures onto channels; answers off them

A tensor lies as [picture][row][column][channel]; between pixels may be a gap, so that a tensor can
be some channels of a larger one. nn/cpu/channels writes the rows that call these kernels.
"""
