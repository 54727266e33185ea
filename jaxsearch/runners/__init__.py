"""The search itself: as one compiled program, or as a host loop around it."""
