"""What the database and the home hold of a study."""
