"""Lines of text as plain data: pieces with a role instead of a colour.

lines             pieces, lines and blocks to put together
numbers, picture  a grid as its numbers, and as a picture of two pixels a character
digits, curve     large digits for the last row; curves of dots
panels            titled grids, arrows, sums as blocks of lines
layout            a frame arranged on a screen of any size
head_and_foot     what stands above and below every view
"""
