"""When things recur: cron, intervals and dates on the clocks of the world. Pure: the moment is always an argument."""
