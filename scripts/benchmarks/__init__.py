"""What LinkFlow costs: real server processes, driven over their own doors, and single executions in processes of their own."""
