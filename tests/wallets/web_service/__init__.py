"""Apple's web service and the download, over real HTTP."""
