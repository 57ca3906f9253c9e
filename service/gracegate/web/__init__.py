"""What the world can reach: webhooks, health, metrics. It writes down what is to be done and does none of it."""
