"""Golden Stick's networks as they stand in the graph, one file an algorithm; Golden Stick itself is never needed."""
