"""The commands: one thin module for each, imported when it is asked for."""
