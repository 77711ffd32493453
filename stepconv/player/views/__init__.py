"""The views of the player: each turns a film and a step into lines.

screen          one screen: the view that is looked at, between the title and the keys
compare         correlation and convolution of the same input, and the half turn
edit            the call being changed: its fields, its cells, what comes of it
follow          where a cell of a chain leads
present         one window in large digits, for a projector
readers         who reads this pixel?
strip           all links of a chain at once
terms           a sum unfolded, term by term
signal          a signal over its kernel, for a projector
sizes           why this size?
volumes         all channels and filters side by side, where there is room
workers         who computed this?
"""
