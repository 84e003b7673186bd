"""The work of one stage, as a worker does it; nothing here knows a study."""
