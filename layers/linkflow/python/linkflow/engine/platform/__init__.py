"""What the platform does for itself: long processes in the States Language (`state_machines/`), run by LinkFlow in a
workspace of its own, and the verbs that their tasks name (`linkflow:platform.<verb>`)."""
