"""The terminal player: a recorded trace, multiplication by multiplication.

A trace becomes a film, one of its steps a frame, a frame lines, and lines get colours:

frame/          what there is to see, as plain data: trace -> film -> frame
text/           how it is arranged, as lines of text with roles: frame -> lines
views/          the screens: the step, and what else one may ask about it
stepped/        algorithms instead of windows: their steps, a table, and the screen of both
render          gives roles their colours
standing        where the player stands: link, step, channel
playback        what it does next; search finds a step for it
setting         a call that can be made again with one thing changed
editing         what keys make of a setting while one looks: undo, redo, as a command
keys            what each key does: for bindings, the last line, clicks and the help
app             the thin shell on Textual: keys and clicks to the playback, lines to the terminal
stage           its one widget: lines of plain data, of which those that changed are painted
door            between an app and its terminal: what nobody understands is passed by
choices         what there is to play, to choose from; chooser is the shell round it
"""
