"""One network looked at: its architecture as a picture.

architecture/   a network's blocks on the terminal and as SVG
"""
