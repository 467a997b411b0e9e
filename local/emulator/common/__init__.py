"""Errors, the environment of the server process, the version guard, and the way functions of ministack are wrapped."""
