"""The two small immutable representations: the graph of Variables and the loop nests it is lowered to."""
