"""Many trainings from one file, on the cores of a machine or on a Dask cluster.

A run folder is the record of a training: what is finished is skipped, what is half done goes on.

experiment      a file that says what to try, as a list of trainings
trial           one training to its end, in the process that is given it
local           the processes of this machine that take trials
cluster         the same on dask.distributed
results         what run folders came to, grouped by what differs
curves          results drawn, with their spread
"""
