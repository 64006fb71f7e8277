// Package auditlog is what a user's agent has done in their name and who allowed
// it: calls of tools, decisions, answers that did not end well, sign-ins and
// refusals.
//
// Owns: the entries of the audit log, their records in the user's journal, and
// which entries are there already.
// Touches: nothing: it is a value that package users keeps in the user's journal.
// Never: holds arguments or outputs, since entries outlive the sessions that they
// speak of.
package auditlog
