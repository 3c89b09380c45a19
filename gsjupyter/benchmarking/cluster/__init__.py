"""The benchmark on the machines of a cluster."""
