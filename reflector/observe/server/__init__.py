"""What is asked over HTTP: the control socket, the API, the page."""
