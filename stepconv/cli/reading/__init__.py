"""What is typed on the command line, turned into arrays, networks and traces.

typed                 numbers as one types them
array_files           .npy and .csv files
picture_files         PNG and JPEG as well
picture_and_kernel    PICTURE and KERNEL: a name, a file, or numbers
inputs                --input: a picture, an array, or numbers
targets               TARGET and its options: what is asked for, and its trace
calls                 what is asked for as the call of an operation, recorded
chains                calls after one another, each --then one more
networks              networks by name, by file, by run
seen                  a picture as a network sees it
lessons               what a lesson asks: records of what is typed, networks measured
"""
