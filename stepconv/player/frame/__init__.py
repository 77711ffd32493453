"""What there is to see of a step, as plain data before any line of text.

film            a trace made ready for showing: what all its frames share
frames          what one step looks like
plane, grids    a plane of numbers with its padding; planes with cells marked on them
numbers, sums   how numbers are written; sums written out
words           what the views say in sentences
"""
