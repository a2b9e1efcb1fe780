"""One loop for every training."""
