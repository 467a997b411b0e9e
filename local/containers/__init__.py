"""Programs that stand for official container images on this machine; each is started by path, like the image's own."""
