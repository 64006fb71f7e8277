// Package session is the state of one session as a value: what the records of its
// journal make, and what may be decided from there.
//
// A State changes in one way, by Apply, so what a restart reads is what ran before.
// Decisions (Submit, Return, Next, Cancel, Decide, Update, Steps) look at the state and
// return the records that are to be written, or an error; they change nothing. The
// caller makes the records durable and then applies them, in this order:
//
//  1. decide, with the state as it is now;
//  2. write the records where the journal ends; when another writer was first,
//     apply what that one has written and decide again;
//  3. apply what was written, and only then show or acknowledge it.
//
// Beside the records there is the answer that is being given (Say, Think): it is shown
// while it grows and becomes a record when it is complete.
//
// What holds of every state, and is checked by Check:
//
//   - At most one run is started and not finished, and it does not wait in the queue.
//   - A run waits in the queue once, has not been started since its last end, and
//     there are at most chat.MaxWaiting of them.
//   - Every message but a beginning has a parent that is there, and no message is
//     its own ancestor; the head is a message, or nothing where there is none.
//   - A call has a result at most once, and a decision counts only once.
//   - A run that waits for its client is the one that is started, and the calls that
//     the client has are all that have no result. It keeps no message waiting.
//   - What a client knows a call by leads to that call, and to no other.
//   - The entries are numbered 1, 2, … without a gap: cursors count them.
//   - A summary goes up to a message that is on a branch, has a text, and belongs to a
//     run that has tried to make one.
//   - An answer that is being given belongs to the run that is started.
//
// Owns: the records of a session's journal, what they mean, and what cursors mean.
// Touches: nothing: no lock, no clock, no randomness and no I/O. Times and new ids
// come from the caller.
// Never: knows who else writes to the journal. Which process runs a run is text in
// a record here.
package session
