"""A network as a graph of steps: which tensors there are, and what each step reads and writes.

tensors         the numbers between the steps, and which of them are parts of others
records         the kinds of steps, as plain data
lowering        from a description to steps: what is fused, what is made in place, who adds
folding         for answers alone: what is done while the sums before it are written
weights         what the steps learn and remember, behind each other in two arrays
ways            by which algorithm each layer learns, for whoever asks

Nothing here knows a backend; nn/cpu and nn/cuda write the steps down, each in its way.
"""
