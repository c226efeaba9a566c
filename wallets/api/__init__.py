"""The web service that devices speak, downloads, and Google's callback."""
