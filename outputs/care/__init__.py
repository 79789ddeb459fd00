"""Looking after a round: proof, copies, the register made again, persons forgotten."""
