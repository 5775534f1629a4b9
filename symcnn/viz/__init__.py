"""Drawings and reports. Nothing else in symcnn imports this package."""
