"""The server of the slim image. It is baked into the image and not part of an artifact; see container/README.md."""
