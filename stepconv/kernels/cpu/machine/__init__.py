"""What kernels are made of on this machine: the only room that writes LLVM.

host            what the vectors of this machine are: how wide, how many, with masks or without
vector          vectors for kernels: load, store, multiply and add
values          numbers, vectors and masks while a tile is written
tiles           the small pieces in which a layer spends nearly all of its time
scalar          a product and a sum with one rounding, for plain loops
addresses       the numbers at an address, for kernels that are handed no arrays
operands        what a kernel of a program reads by name off its row
staging         moves images into a task's own memory and out of it
scratch         working memory that a thread keeps from call to call
remembered      keeps tables of offsets, so that a call like the last one makes none
"""
