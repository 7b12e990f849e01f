"""What a workflow is. Pure: no clock, thread, file, print or log; the standard library only."""
