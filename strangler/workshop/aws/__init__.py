"""AWS on loopback: moto's server, and of SES what moto lacks: events, suppressed addresses, a mailbox to look at.

All of it is in memory, and ends with the process.
"""
