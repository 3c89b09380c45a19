"""What comes of a benchmark: shown, drawn, saved, and added to others."""
