"""How a user's function wants to be called: names, layout, option dicts, what it returns.

In reading order:
- `letters`: axes by their letters, and an array turned from one order of them into another;
- `names`: what people call the arguments that we know by one name;
- `courses`: the forms of famous courses, one line each;
- `exercises`: how arrays come of what networks are trained with;
- `slots`: which parameter is to get what, spelt how;
- `reading`: one way to call a function, which turns our calls into its own and its answers back;
- `calling`: the values of one such call, as the guest gets them;
- `finding`: all readings that a function may have, and which of them it has.
"""
