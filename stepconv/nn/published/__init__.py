"""Networks that others have published, read into ours: ONNX graphs, and weights by their names.

fixed           layers that such networks have and none of ours learns with
graph           an ONNX file as plain data, read with suspicion; constants worked out
stacking        a graph as stacks of layers: where branches part and meet
nodes           a node as a layer with its weights
onnx_file       all of that in order: from a file to a network
pickled         PyTorch's .pth files: tensors alone, nothing that runs
by_name         weights by their names, for a network that is known
normed          how pictures were fed to it, where colours differ
"""
