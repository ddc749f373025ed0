"""`cellwright audit`: tasks drawn at random, shown as an auditor needs them, and what the verdicts say of all."""

from cellwright.apps.auditing.session import AuditOrder, audit

__all__ = ["AuditOrder", "audit"]
