"""Takes money: authorises, captures and gives back, by a provider that is made up."""
