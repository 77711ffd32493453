"""A network as a graph of steps: which tensors there are, and what each step reads and writes.

lowering        from a description to steps
tensors         where a tensor's numbers lie
"""
