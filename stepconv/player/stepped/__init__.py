"""Algorithms on the terminal: steps as lines, and the screen that plays them.

lines        a step, and the table at the end, as lines with roles
playback     where one stands, and what keys do
screen       the whole screen: title, step, progress bar and keys
app          the thin shell on Textual
"""
