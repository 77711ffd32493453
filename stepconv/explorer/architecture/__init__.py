"""Architectures as pictures: plain stacks as boxes of maps, modules by their branches.

blocks          a network as blocks, plain data: box or module, and how often
sizes           how high and how deep a box is drawn
on_terminal     blocks as lines with roles
as_svg          blocks as an SVG without a font
"""
