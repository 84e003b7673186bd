"""The database: the only place that imports SQLAlchemy, and in a run the driver is its only writer."""
