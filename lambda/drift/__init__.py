"""Does the traffic still look like the sentences that the champion was judged on? Asked every few minutes."""
