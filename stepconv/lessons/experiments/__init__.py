"""Small experiments that lessons draw and speak of: numbers of our own, computed by the engine.

changes         a picture shifted, turned, bent, dimmed, covered, and how far it is from the first
learnt          a kernel that learns a worked example by gradient descent
swept           the same training with more pictures, with other seeds: the least and the most right
depth           how much of a gradient comes back through deep networks, of two kinds
"""
