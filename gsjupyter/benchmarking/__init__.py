"""Benchmarks that can be trusted: targets, protocol, statistics, advice, more than one machine."""
