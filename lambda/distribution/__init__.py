"""What is counted about predictions: the gate, the traffic and the drift check use the same bins."""
