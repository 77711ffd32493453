"""What a wrong result looks like: the usual mistakes, made on purpose, each a few lines.

- `theory`: what a slip is, and the rule by which one explains all that was seen, or none does;
- `sliding`: a convolution in NumPy whose parts can be done wrongly one at a time;
- `kernels`, `borders`, `steps`, `channels`: the slips of whoever slides a kernel;
- `pools`, `gradients`, `cells`: those of pools, of the way back, and of what works cell by cell;
- `numbers`: what types do to numbers;
- `conditions`: no theory of the numbers, but what all wrong calls have in common, and no right one.
"""
