"""Google Wallet: classes and objects over REST, save links, callbacks."""
