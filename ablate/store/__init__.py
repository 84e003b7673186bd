"""The database. Only this package imports SQLAlchemy; while a study runs, the driver is the only writer."""
