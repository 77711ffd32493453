"""Algorithms on the terminal: steps as lines, and the screen that plays them.

lines        a step as lines with roles
table        all ways beside each other, as texts and as lines
pages        a page for each step, the table as the last one
playback     where one stands, and what keys do
screen       the whole screen: title, step, progress bar and keys
app          the thin shell on Textual
"""
