"""Rewriting: rules that read as algebra, an engine that applies and records them, phases in order."""
