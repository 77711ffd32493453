"""What is typed on the command line, turned into arrays, networks and traces.

typed                 numbers as one types them
array_files           .npy and .csv files
picture_files         PNG and JPEG as well
picture_and_kernel    PICTURE and KERNEL: a name, a file, or numbers
targets               TARGET and its options, as a trace
networks              networks by name, by file, by run
"""
