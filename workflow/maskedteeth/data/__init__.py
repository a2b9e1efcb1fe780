"""From raw radiographs to arrays and splits."""
