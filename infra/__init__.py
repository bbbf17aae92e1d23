"""What stands on AWS around the functions: one concern a file, as data, merged into the template that Chalice makes."""
