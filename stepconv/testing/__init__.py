"""What it takes to hold a convolution to account: calls that find weak spots, and a checker.

`gradients` holds a gradient that was written by hand against differences.
"""
