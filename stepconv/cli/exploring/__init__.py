"""A network looked into from the command line: what is asked for, and what is printed.

looked          a network and a picture to look into it with, as they are named
on_screen       the explorer, opened with it
watching        the same while a network learns
printed         layer by layer, or one cell with its window and its field
"""
