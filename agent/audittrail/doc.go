// Package audittrail shows a user what was done in their name, and notes who came in.
//
// Owns: sign-ins and refusals that wait to be written, and when that is.
// Touches: users' journals through package users.
// Never: notes what a session did; its own journal has that until its user's has.
package audittrail
