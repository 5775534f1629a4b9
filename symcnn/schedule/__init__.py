"""From a simplified graph to a plan: nests, fusion, memory."""
