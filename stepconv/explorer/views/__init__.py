"""The screens of the explorer: each turns where one stands into lines.

screen          one screen: the way in, all layers in a line, the view, the keys
network         the picture, a column for each layer, the answers
layer           all maps of a layer, and the filter of the chosen one
a_map           one map: its numbers, the chosen cell, what that sees
a_filter        one filter: its weights, their gradients, and one step along them
bench           the picture in work, what the network is shown, what it answers
occlusion       how far the answer falls where the picture is hidden
exciting        the pictures that excite a map most, cut out
step            the answers before and after one step of gradient descent
identity        gradients with and without an identity path
answers         the classes as bars
"""
