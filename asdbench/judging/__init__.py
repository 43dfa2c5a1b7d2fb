"""What results mean: which method is better, what has been reproduced, what passes."""
