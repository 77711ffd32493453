"""What there is to see of a network, as plain data before any line of text.

planes          an output as planes of cells: a flat row is laid out as one
pixels          planes as colours, on one scale for a layer, and as lines of two pixels a character
columns         the network as columns, one a layer, with its branches
reach           which cells of the picture and of the layers between a cell sees
"""
