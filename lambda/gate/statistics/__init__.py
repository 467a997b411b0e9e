"""What the answers say about a challenger: figures with intervals, slices, and the verdict on them."""
