"""What commands print and write.

output          files of the right kind, none replaced unasked
preview         small pictures made of characters
steps           steps of a record in panels, as data, as a slide; examples that count
links           the links of a chain, one after the other
comparing       networks in one table: their papers, their cost, their errors
report          what a network was judged to be worth
training        those who listen to a training
demo_network    the second half of the demo
as_command      what the player's editor has made, as one would type it
welcome         what `stepconv` alone offers
choosing        what there is to choose from where `play` is called alone
"""
