"""What a wrong result looks like: the usual mistakes, made on purpose, each a few lines.

- `theory`: what a slip is, and the rule by which one explains all that was seen, or none does;
- `sliding`: a convolution in NumPy whose parts can be done wrongly one at a time;
- `kernels`, `borders`, `steps`, `channels`: the slips of whoever slides a kernel;
- `gradients`: those on the way back;
- `pools`, `pool_gradients`: those of pools, there and back;
- `cells`: those of what works cell by cell, and of borders;
- `numbers`: what types do to numbers;
- `training`: those of dense layers, losses, norms, dropout and optimisers;
- `conditions`: no theory of the numbers, but what all wrong calls have in common, and no right one.
"""
