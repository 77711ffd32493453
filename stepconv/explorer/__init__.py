"""One network looked at from inside, on the terminal, and its architecture as a picture.

A picture goes through a network, and one follows it: network -> layer -> map -> window.

subject         what is explored: a network at several moments of its training
bench/          the picture: drawn, or of a data set, and changed while one looks
frame/          what there is to see, as plain data
views/          the screens, as lines with roles
standing        where one is; at_bench and visit: what keys do at the bench, and everywhere else
keys            what each key does: for the last line and the help
app             the thin shell on Textual; in a window it is the player
watch/          a training watched and changed while it goes on
architecture/   a network's blocks on the terminal and as SVG
"""
