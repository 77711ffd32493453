"""Pools on the CPU, forward and backward: `choose` decides between loops and vectors.

choose          the operations, and plain loops for any type and any option
forward         small windows of float32 and float64 in vectors; forward_tiles: its vectors
backward        their gradients in vectors; backward_tiles: its vectors
"""
