"""The server of the slim image. It is part of the image and not of an artifact; see container/README.md."""
