"""What is wrong: findings, each with its rule and its cells."""
