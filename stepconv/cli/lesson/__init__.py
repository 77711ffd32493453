"""Lessons on the terminal: what a scene opens, as lines, on a screen, in sentences.

opening         what a scene opens: a record to play, lines to read, a screen of its own
pages           the lists and a scene as lines with roles, for a screen of any size
screen          the app: the player, with a scene's text above its picture
told            on a pipe: in sentences, as a list, as data
"""
