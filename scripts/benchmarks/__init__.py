"""What LinkFlow costs: real server processes, driven over their own doors; single executions in their own processes."""
