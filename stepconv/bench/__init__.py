"""Speed beside the peers: what is measured, by whom, and how; for `bench` and benchmarks/ops.py.

cells.py says what is computed, ours.py and peers.py how each library is asked for it, worker.py is
the process that one of them has to itself, and driver.py lets the workers take turns.
"""
