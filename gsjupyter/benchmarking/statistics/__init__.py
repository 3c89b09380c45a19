"""What durations tell: latencies with intervals, and verdicts that hold their error rate."""
