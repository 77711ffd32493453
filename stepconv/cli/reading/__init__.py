"""What is typed on the command line, turned into arrays, networks and traces.

literal         numbers as one types them
arrays          .npy and .csv files; picture_files: PNG and JPEG
inputs          PICTURE and KERNEL: a name, a file, or numbers
targets         TARGET and its options, as a trace
networks        networks by name, by file, by run
"""
