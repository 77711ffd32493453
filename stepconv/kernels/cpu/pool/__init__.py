"""Pools on the CPU, forward and backward: `choose` decides between loops and vectors.

choose          the operations, and which kernel computes them
loops           plain loops for any type and any option
windows         small windows as vectors see them: what both ways share
forward         small windows of float32 and float64 in vectors; forward_tiles: its vectors
backward        their gradients in vectors; backward_tiles: its vectors
"""
