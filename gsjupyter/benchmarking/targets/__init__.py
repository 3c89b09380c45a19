"""What a machine has to run models on, and why the rest isn't there."""
