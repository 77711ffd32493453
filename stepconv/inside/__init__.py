"""A network looked into: every layer's numbers and windows, and the way back from the loss.

    inside = stepconv.look_inside("runs/lenet5-mnist", picture, label=5)
    inside.layers                              # names, those inside blocks too
    inside["conv2"].input .output .kind .plan .shape .parameters
    inside["conv2"].trace()                    # a Trace for the player; trace("w"), trace("x") back
    inside.at("conv2", (3, 4, 5))              # one Step of it
    inside.chain, inside.links["conv2"]        # all of it as a Chain, and which link a layer is
    inside.logits .probabilities .prediction   # inside["softmax"].trace() has the exponentials
    field = inside.field("conv2", (3, 4, 5))
    field.bounds .cells .influence             # in pixels; .reach and .path: masks of each layer
    inside.loss, inside["conv2"].grad, inside.gradients["conv2.weight"]
    inside["conv2"].gradients["weight"]        # the same array
    inside.gradients.at("conv2.weight", (3, 0, 1, 1))   # a Step
    inside.step(lr=0.1)["conv2.weight"]        # w, gradient, w - lr · g; .inside: after the step
    inside.occlude(size=4, stride=2); inside.most("conv2", 3, pictures, n=9)
    inside.with_picture(another, label=3)      # the same network, another picture

In reading order; a file imports only those above it, but for the methods of an `Inside` that ask
those below for what is rarely looked at.

graph           which layer reads what, and how anything goes back from a layer's cells
calls           a layer as a call of the engine: forward, back, and its record
network         all layers with their weights: forward to every output, back to every gradient
reach, field    the pixels that can reach a cell, and what each counts for
record          Inside and its layers: what is asked for, computed when it is
look            look_inside: what may be looked into, and how a picture becomes numbers
chained         all layers recorded as one chain
learning        the gradients of all weights, and one step of gradient descent
patches         a patch that hides, and the patches that excite a map most
identity        gradients of deep stacks, with identity paths and without
shown           a network in a line, a table for a terminal, a page for a notebook

All masks and gradients have the shape of what they belong to, without the batch.
"""

from stepconv.inside.field import Field
from stepconv.inside.look import look_inside
from stepconv.inside.record import Inside, LayerInside

__all__ = ["Field", "Inside", "LayerInside", "look_inside"]
