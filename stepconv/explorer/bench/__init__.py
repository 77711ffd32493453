"""The digit bench: a picture drawn or taken from a data set, and changed while the network looks.

pen             a sheet drawn on with keys and the mouse
changes         shift, turn, scale, thicken, blot: from one original, so that nothing wears out
shelf           pictures of a data set, browsed by class or by wrong answers
bench           all of them together: what the network is shown, and how that came about
"""
