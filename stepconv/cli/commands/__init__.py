"""The commands: one thin module for each, imported when it is asked for.

There are as many modules as commands, so this folder may hold more than others.
"""
