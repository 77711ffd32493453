"""What trains on the CPU: kernels that hold one image in each lane of a vector.

    rows            a kernel's operands by name, and the runner that works through rows of them
    layers          conv and dense: forward, for x, for the weights; tiles: their vectors
    pools           the largest cell or the mean of each window, and the way back
    norms           batch normalisation in stages
    cells           activations, sums of branches, dropout
    batches         pictures onto lanes; losses and answers off them
    updates         the optimisers' formulas
    winograd        3x3 layers by Winograd's way, by name; winograd_weights: their gradients

nn/cpu writes the rows; `rows.run` calls each kernel by its address for every chunk of images.
"""
