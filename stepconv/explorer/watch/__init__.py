"""A training watched while it goes on: its curves, what it has learnt so far, and what is changed.

watched         what is known of the training, and what somebody wishes; no screen, no clock
screens         that as lines: curves, gradients, kernels, misread pictures
app             the thin shell: the explorer, with the training behind it
"""
