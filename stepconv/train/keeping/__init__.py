"""What a run keeps beside its last state, so that one sees and repeats how it came about.

moments         copies of the network on its way
changes         what somebody changed while it learnt
"""
