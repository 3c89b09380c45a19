"""How models are measured: fresh processes, side by side, in turns."""
