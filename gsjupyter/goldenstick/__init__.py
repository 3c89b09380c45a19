"""Golden Stick's networks as they stand in the graph, one file an algorithm; Golden Stick itself is never needed.

Nothing is imported here: what makes notebooks' networks readable is loaded with the extension, before MindSpore.
"""
