"""The scheduled check whether the traffic still looks like the sentences that the champion was judged on."""
