"""The platform's own long processes, in Amazon States Language; see README.md beside this file."""
