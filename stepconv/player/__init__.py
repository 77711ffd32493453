"""The terminal player: a recorded trace, multiplication by multiplication."""
