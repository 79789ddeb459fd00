"""What we tell: the register, the letters and the lists made from it."""
