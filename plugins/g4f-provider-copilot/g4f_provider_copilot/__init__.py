"""Microsoft 365 Copilot (`m365`) and GitHub Copilot (`account`); each is imported only when it is chosen."""
