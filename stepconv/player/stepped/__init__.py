"""Algorithms on the terminal: steps as lines, and the screen that plays them.

lines        a step, and the table at the end, as lines with roles
"""
