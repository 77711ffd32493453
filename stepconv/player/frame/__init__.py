"""What there is to see of a step, as plain data before any line of text.

formats         how numbers are written
grid            a plane of numbers with its padding, and with cells marked on it
film            a trace made ready for showing: what all its frames share
sums            sums written out, term by term
frames          what one step looks like: its grids and its sums
volume          all channels, all filters and all results of a step
who_reads       which cells of the result read a cell of the source
linked          where the cells of a chain come from, and where they go
strip           all links of a chain at once
words           what the views say in sentences
"""
