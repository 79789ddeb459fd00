"""What staff bring in: what caseworkers wrote, registers, recipients, grants."""
