"""The stand-alone check of a published log: ``python -m audit.log.verify``, or the single file made by ``manage.py verifier``. No Django.

It needs the published files and the log's public key; it trusts nothing else, and asks nobody.
"""
