"""Things with known answers, and real data."""
