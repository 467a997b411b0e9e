"""What is counted about predictions, in the same bins at the gate, in the traffic and in the drift check."""
