"""The kinds of what networks compute, and the numbers by which kernels on any backend know them."""

# How an activation is computed: the third is a line with a bend, of which networks know the slope.
TANH, SIGMOID, LEAKY_RELU = range(3)

# How wrong answers are.
CROSS_ENTROPY, SQUARED_ERROR = range(2)
LOSSES = {"cross-entropy": CROSS_ENTROPY, "mean-squared-error": SQUARED_ERROR}

# What becomes of a sum of products: a layer's values, or a gradient that is the first or one more.
ACTIVATE, STORE_GRADIENT, ADD_GRADIENT = range(3)

# Where the numbers stand that a step of an optimiser goes by: of all, of SGD, of Adam.
RATE, DECAY, L1, CLIP = range(4)
MOMENTUM, AHEAD = range(4, 6)
BETA1, BETA2, EPSILON, ROOT, PACE, SHRINK = range(4, 10)
STEP_NUMBERS = 10
