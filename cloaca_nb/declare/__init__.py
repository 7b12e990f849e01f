"""Where user code says what there is: tasks, workflows, variables, and the registry that knows them."""
