"""What it takes to hold a convolution to account: arrays and calls that find the weak spots."""
