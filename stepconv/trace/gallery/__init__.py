"""The gallery: convolutions worked by hand in lectures, with the numbers that must come out.

worked          the examples, read from worked-examples.json
traces          each as a trace: from the folder that is shipped, or recorded anew
chains          worked chains: calls after one another that show a law with numbers
pictures        pictures drawn by code, for kernels to be tried on
landscapes      and painted like photographs, one in colour
"""
