"""What commands print and write.

output          files of the right kind, none replaced unasked
preview, curve  small pictures and curves made of characters
slide           a step as a picture for a slide
counted         worked examples that count
report          what a network was judged to be worth
training        those who listen to a training
demo_network    the second half of the demo
"""
