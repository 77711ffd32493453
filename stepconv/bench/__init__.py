"""Speed beside the peers: what is measured, by whom, and how; for `bench`, `why`, benchmarks.

cells           what is computed
peers           how each library, stepconv among them, is asked for it
worker          the process that one of them has to itself
driver          lets the workers take turns, and compares what they computed
peak            what this machine can do at most

What speed the project asks of itself is told in benchmarks/asked.py.
"""
